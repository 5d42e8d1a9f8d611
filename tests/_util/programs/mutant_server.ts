// A relay server that leaks once, as its first argument says: a socket that it believes closed, or a timer that it
// believes canceled. With `stay`, it ends neither with its input nor on SIGTERM. With `less`, it closes a socket that it had at its start; with `less-and-socket`, it also leaks
// one. It answers `state` on stdin as the real server does.
import { TextLineStream } from "@std/streams/text-line-stream";
import { writeLine } from "../../../cli/terminal/write.ts";
import { startRelay } from "../../../relay/mod.ts";
import { type Clock, type Network, systemClock, systemNetwork, type Transport } from "../../../socket/mod.ts";
import { CountedClock } from "../../../testing/mod.ts";

const [leak = "nothing", ...args] = Deno.args;
const counted = new CountedClock(systemClock);
const hostnames = args.flatMap((arg, place) => args[place - 1] === "--host" ? [arg] : []);

/** Forgets to close the tenth socket. */
function leakySockets(): Network {
  let accepted = 0;
  const leaky = (transport: Transport): Transport => ({
    local: transport.local,
    remote: transport.remote,
    read: (into) => transport.read(into),
    write: (bytes) => transport.write(bytes),
    closeWrite: () => transport.closeWrite(),
    close() {},
  });
  return {
    ...systemNetwork,
    listen(options) {
      const listener = systemNetwork.listen(options);
      return {
        address: listener.address,
        accept: async () => {
          const transport = await listener.accept();
          return ++accepted === 10 ? leaky(transport) : transport;
        },
        close: () => listener.close(),
      };
    },
  };
}

/** Forgets to cancel the first timer. */
function leakyTimers(clock: Clock): Clock {
  let started = 0;
  return {
    now: () => clock.now(),
    soon: (run) => clock.soon(run),
    after(ms, run) {
      const timer = clock.after(ms, run);
      return ++started === 1 ? { cancel() {} } : timer;
    },
  };
}

const server = startRelay({
  hostnames,
  port: 0,
  timeouts: { ack: 60_000 },
  network: leak.endsWith("socket") ? leakySockets() : systemNetwork,
  clock: leak === "timer" ? leakyTimers(counted) : counted,
});
let other = leak.startsWith("less") ? Deno.listen({ port: 0 }) : undefined;
const say = (record: object): void => writeLine(Deno.stdout, JSON.stringify(record));
Deno.addSignalListener("SIGTERM", () => leak === "stay" ? undefined : Deno.exit());
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
// Last, when all its own sockets are open, because counting them from outside starts here.
for (const { hostname: host, port } of server.addresses) say({ event: "listening", host, port });
for await (const _ of lines) {
  other?.close();
  other = undefined;
  say({ event: "state", ...server.stats(), timers: counted.running });
}
