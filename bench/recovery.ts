/**
 * What a relay's clients see when their server is killed, or replaced while it runs.
 *
 * `deno task recovery` runs both in full: `kill -9` under 5,000 clients, and a rolling restart under load. The servers are
 * processes, and the clients those of the load test, booked and judged as there.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { CURE_VALUE, CURE_VARIABLE } from "../cli/starvation.ts";
import { LocalGenerator } from "../loadtest/generate/generator.ts";
import { type HistoryEvent, SCHEMA, type ServerState } from "../loadtest/history/events.ts";
import { type ChildEnd, describeEnd } from "../loadtest/process/child_process.ts";
import { SpawnedServer } from "../loadtest/process/spawned_server.ts";
import { Plan } from "../loadtest/plan/plan.ts";
import { runLoadTest } from "../loadtest/run.ts";
import { respawnCommand } from "../cli/loadtest/respawn.ts";
import { systemClock, systemNetwork, systemRandom } from "../socket/tcp.ts";

/** How many clients, in how many ms they start, and how long at most each holds what it gets, in ms. */
export interface Load {
  readonly clients: number;
  readonly window: number;
  readonly hold: number;
}

/** What became of the clients, and of the server that took over. */
export interface Recovery {
  readonly clients: number;
  readonly acked: number;
  /** Sent, and never acknowledged. */
  readonly lost: number;
  /** Sends after the first of each client. */
  readonly resent: number;
  /** Oks for a message that had its ok before. */
  readonly duplicates: number;
  /** Connections that the second server has had. */
  readonly takenOver: number;
  /** What the second server is left with: connections, messages, timers, bytes. */
  readonly left: number;
}

/** How one server takes the place of another. */
interface Succession {
  readonly first: SpawnedServer;
  /** The share of the clients that have been connected when it begins. */
  readonly after: number;
  /** Starts the second server, and ends the first. */
  takeOver(): Promise<SpawnedServer>;
}

/** The time that the second server may take to come to nothing, ms. */
const ZERO_TIMEOUT = 10_000;
const TIMEOUT = 20_000;

/** Runs clients while one server takes the place of another. */
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
  const { judgement } = await runLoadTest({
    plan,
    generator: new LocalGenerator({
      // Neither server knows of all, as one of the load test's own would; and what happens is a fault that was asked for.
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
  const { acked, lost, resent } = judgement.account;
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
 * Waits until a server holds nothing, or has had its time. Its sockets are not counted from outside: the first clients were
 * there before the count could begin.
 */
async function lastState(
  server: SpawnedServer,
): Promise<Pick<ServerState, "closed"> & { readonly left: number }> {
  const giveUpAt = performance.now() + ZERO_TIMEOUT;
  for (;; await delay(20)) {
    const state = await server.state();
    if (state === null) throw new Error("The second server does not tell its state");
    const { connections, pending, timers, queuedBytes, closed } = state;
    const left = connections + pending + timers + queuedBytes;
    if (left === 0 || performance.now() > giveUpAt) return { closed, left };
  }
}

async function startOwn(port: number, ...options: readonly string[]): Promise<SpawnedServer> {
  return await SpawnedServer.start({
    command: respawnCommand("own-server", "--ack-timeout", `${TIMEOUT}ms`, ...options),
    env: { [CURE_VARIABLE]: CURE_VALUE },
    hostnames: ["127.0.0.1"],
    port,
  });
}

/** Kills the server when every client has been connected, and starts it again on its port. */
export async function killAndRestart(load: Load): Promise<Recovery> {
  const first = await startOwn(0);
  return await survive(load, {
    first,
    after: 1,
    takeOver: async () => {
      Deno.kill(first.pid, "SIGKILL");
      await first.ended;
      return await startOwn(first.addresses[0]!.port);
    },
  });
}

/** What became of the clients of a rolling restart, and of the server that was replaced. */
export interface RollingRestart extends Recovery {
  /** Connections that the first server had when it was told to drain. */
  readonly connected: number;
  readonly firstEnd: ChildEnd;
}

/**
 * Starts a second server on the port of the first when a tenth of the clients have been connected, and then drains the first.
 * Clients come for so long that they still do then: ten times as long as the first took to start, if that is more than `window`.
 */
export async function rollingRestart(load: Load): Promise<RollingRestart> {
  const since = performance.now();
  const first = await startOwn(0, "--reuse-port");
  const window = Math.max(load.window, 10 * (performance.now() - since));
  let connected = 0;
  const recovery = await survive({ ...load, window }, {
    first,
    after: 0.1, // Early: a server takes a while to start where clients take the processor.
    takeOver: async () => {
      const second = await startOwn(first.addresses[0]!.port, "--reuse-port");
      connected = (await first.state())?.connections ?? 0;
      Deno.kill(first.pid, "SIGTERM");
      return second;
    },
  });
  return { ...recovery, connected, firstEnd: await first.ended };
}

if (import.meta.main) {
  // They hold for so long that most of them are there when the last has come.
  const load = { clients: Number(Deno.args[0] ?? 5000), window: 3000, hold: 6000 };
  const kill = await killAndRestart(load);
  const { firstEnd, ...rolling } = await rollingRestart({ ...load, window: 6000 });
  const report = { kill, rolling: { ...rolling, firstEnd: describeEnd(firstEnd) } };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
  const good = [kill, rolling].every(({ clients, acked, lost, left }) =>
    acked === clients && lost + left === 0
  );
  // Where one of the servers had nobody, nothing was shown.
  const shown = kill.resent > 0 && rolling.connected > 0 && rolling.takenOver > 0;
  Deno.exit(good && shown && firstEnd.code === 0 ? 0 : 1);
}
