/**
 * Measures what a relay's clients notice when their server is killed, or replaced while it runs.
 *
 * `deno task recovery` runs both: `kill -9` under 5,000 clients, and a rolling restart under load. The servers are
 * processes; the clients are those of the load test, recorded and judged in the same way.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { delay } from "@std/async/delay";
import { FAIR_IO_ENV } from "../../cli/run_program.ts";
import { LocalGenerator } from "../../loadtest/generate/generator.ts";
import { type HistoryEvent, SCHEMA, type ServerState } from "../../loadtest/history/events.ts";
import { type ChildEnd, describeEnd } from "../../loadtest/process/child_process.ts";
import { SpawnedServer } from "../../loadtest/process/spawned_server.ts";
import { Plan } from "../../loadtest/plan/plan.ts";
import { runPlan } from "../../loadtest/run_plan.ts";
import { respawnCommand } from "../../cli/loadtest/respawn.ts";
import { systemClock, systemNetwork, systemRandom } from "../../socket/tcp.ts";
import { ownAddress } from "../../tests/_util/network/own_address.ts";

/** Number of clients, the time in ms over which they start, and the longest time in ms that each holds a message. */
export interface Load {
  readonly clients: number;
  readonly window: number;
  readonly hold: number;
}

/** The outcome for the clients, and for the server that took over. */
export interface Recovery {
  readonly clients: number;
  readonly acked: number;
  /** Messages sent and never acknowledged. */
  readonly lost: number;
  /** Sends beyond the first of each client. */
  readonly resent: number;
  /** Oks for messages that already had theirs. */
  readonly duplicates: number;
  /** Connections that the second server accepted. */
  readonly takenOver: number;
  /** Connections, messages, timers, and bytes left in the second server. */
  readonly left: number;
}

/** A way to replace one server with another. */
interface Succession {
  readonly first: SpawnedServer;
  /** The share of clients that must have connected before it begins. */
  readonly after: number;
  /** Starts the second server and stops the first. */
  takeOver(): Promise<SpawnedServer>;
}

/** Time limit in ms for the second server to reach zero state. */
const ZERO_TIMEOUT = 10_000;
/** The ack timeout in ms. */
const TIMEOUT = 20_000;

/** Runs clients while one server replaces another. */
async function survive(
  { clients, window, hold }: Load,
  { first, after, takeOver }: Succession,
): Promise<Recovery> {
  const plan = new Plan({
    seed: 1,
    clients,
    window,
    arrival: "uniform",
    replyDelay: { type: "uniform", min: 0, max: hold },
    payload: { type: "short" },
    timeout: TIMEOUT,
  });
  const connected = new Set<number>();
  const begun = Promise.withResolvers<void>();
  const onEvent = (event: HistoryEvent): void => {
    if (event.event !== "connect") return;
    connected.add(event.client);
    if (connected.size >= clients * after) begun.resolve();
  };
  const second = begun.promise.then(takeOver);
  const { judgement } = await runPlan({
    plan,
    generator: new LocalGenerator({
      // Neither server sees all clients, as a spawned one would; and the restart is an intended fault.
      run: {
        event: "run",
        schema: SCHEMA,
        seed: 1,
        clients,
        protocol: "relay",
        server: "foreign",
        faults: true,
      },
      plan,
      targets: first.addresses,
      network: systemNetwork,
      clock: systemClock,
      random: systemRandom,
      onEvent,
    }),
    server: { finalState: () => Promise.resolve(null) },
    clock: systemClock,
  });
  const server = await second;
  const { closed, left } = await lastState(server);
  await server.stop();
  const { acked, lost, resent } = judgement.counts;
  return {
    clients,
    acked,
    lost,
    resent,
    duplicates: judgement.count("duplicate"),
    takenOver: Object.values(closed).reduce((sum, count) => sum + count, 0),
    left,
  };
}

/**
 * Waits for zero state, or for the time limit. Sockets are not counted from outside, because the first clients connected
 * before the count could begin.
 */
async function lastState(
  server: SpawnedServer,
): Promise<Pick<ServerState, "closed"> & { readonly left: number }> {
  const giveUpAt = performance.now() + ZERO_TIMEOUT;
  for (;; await delay(20)) {
    const state = await server.state();
    if (state === null) throw new Error("The second server does not report its state");
    const { connections, pending, timers, queuedBytes, closed } = state;
    const left = [connections, pending, timers, queuedBytes].reduce<number>(
      (sum, one) => sum + (one ?? 0),
      0,
    );
    if (left === 0 || performance.now() > giveUpAt) return { closed, left };
  }
}

async function startOwn(
  hostname: string,
  port: number,
  ...options: readonly string[]
): Promise<SpawnedServer> {
  return await SpawnedServer.start({
    command: respawnCommand("own-server", "--ack-timeout", `${TIMEOUT}ms`, ...options),
    env: FAIR_IO_ENV,
    hostnames: [hostname],
    port,
  });
}

/** Kills the server once every client has connected, and restarts it on the same port. */
export async function killAndRestart(load: Load): Promise<Recovery> {
  const hostname = ownAddress(); // While no server listens, no other program takes its port.
  const first = await startOwn(hostname, 0);
  return await survive(load, {
    first,
    after: 1,
    takeOver: async () => {
      Deno.kill(first.pid, "SIGKILL");
      await first.ended;
      return await startOwn(hostname, first.addresses[0]!.port);
    },
  });
}

/** The outcome of a rolling restart for the clients, and for the replaced server. */
export interface RollingRestart extends Recovery {
  /** Connections of the first server when it started to drain. */
  readonly connected: number;
  readonly firstEnd: ChildEnd;
}

/**
 * Starts a second server on the port of the first once a tenth of the clients have connected, then drains the first.
 * Clients keep arriving throughout: for ten times the first server's start-up time, if that is longer than `window`. They hold
 * messages for as much longer, so that the same part of them is connected at any time.
 */
export async function rollingRestart(load: Load): Promise<RollingRestart> {
  const since = performance.now();
  const first = await startOwn("127.0.0.1", 0, "--reuse-port");
  const window = Math.max(load.window, 10 * (performance.now() - since));
  const hold = Math.min(TIMEOUT / 2, load.hold * window / load.window);
  let connected = 0;
  const recovery = await survive({ ...load, window, hold }, {
    first,
    after: 0.1, // Early, because a server starts slowly while clients use the CPU.
    takeOver: async () => {
      const second = await startOwn("127.0.0.1", first.addresses[0]!.port, "--reuse-port");
      connected = (await first.state())?.connections ?? 0;
      first.drain();
      return second;
    },
  });
  return { ...recovery, connected, firstEnd: await first.ended };
}

if (import.meta.main) {
  const { clients } = toolArgs({ command: "deno task recovery", words: { clients: 5000 } });
  // Long enough that most clients are still connected when the last one arrives.
  const load = { clients, window: 3000, hold: 6000 };
  const kill = await killAndRestart(load);
  const { firstEnd, ...rolling } = await rollingRestart({ ...load, window: 6000 });
  const report = { kill, rolling: { ...rolling, firstEnd: describeEnd(firstEnd) } };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
  const good = [kill, rolling].every(({ clients, acked, lost, left }) =>
    acked === clients && lost + left === 0
  );
  // If one of the servers had no connections, the run shows nothing.
  const shown = kill.resent > 0 && rolling.connected > 0 && rolling.takenOver > 0;
  Deno.exit(good && shown && firstEnd.code === 0 ? 0 : 1);
}
