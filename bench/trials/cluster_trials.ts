/**
 * Breaks a cluster of three relays under load, and proves that nothing is lost: `deno task cluster-trials`.
 *
 * - `kill`: a node is killed with SIGKILL.
 * - `nats`: the NATS server is killed, and starts again after five seconds.
 * - `cut`: the network of a node fails for ten seconds, with both NATS and its own clients. It is in a network namespace, so
 *   this needs Linux and root.
 *
 * The nodes are processes. The clients are those of the load test, and its judge gives the verdict, with zero state summed
 * over the nodes that are left.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { delay } from "@std/async/delay";
import { Log } from "../../cli/terminal/log.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { FAIR_IO_ENV } from "../../cli/run_program.ts";
import { respawnCommand } from "../../cli/loadtest/respawn.ts";
import { LocalGenerator } from "../../loadtest/generate/generator.ts";
import { type HistoryEvent, RULES, SCHEMA, type ServerState } from "../../loadtest/history/events.ts";
import { Plan } from "../../loadtest/plan/plan.ts";
import { SpawnedServer } from "../../loadtest/process/spawned_server.ts";
import { runPlan } from "../../loadtest/run_plan.ts";
import type { Address } from "../../socket/network.ts";
import { systemClock, systemNetwork, systemRandom } from "../../socket/tcp.ts";
import { NatsServer } from "../../tests/_util/programs/nats_server.ts";
import { NodeNamespace } from "./node_namespace.ts";
import { ownAddress } from "../../tests/_util/network/own_address.ts";

/** Number of clients, the time in ms over which they start, and the longest time in ms that each holds a message. */
export interface Load {
  readonly clients: number;
  readonly window: number;
  readonly hold: number;
}

/** The outcome of a trial. */
export interface TrialResult {
  readonly verdict: string;
  readonly clients: number;
  readonly acked: number;
  readonly lost: number;
  /** Oks for messages that already had theirs. */
  readonly duplicates: number;
  /** Sends beyond the first of each client. */
  readonly resent: number;
  /** Messages that the nodes delivered again. */
  readonly redelivered: number;
  /** Messages between the nodes that are left. */
  readonly busMessages: number;
  readonly findings: readonly string[];
}

const NODES = 3;
/** Time limit in ms for an ok, for clients and nodes. */
const TIMEOUT = 30_000;
/** Time limit in ms for the nodes to find each other, and to reach zero state. */
const SETTLE_TIMEOUT = 15_000;
const LOOK_INTERVAL = 20;

/** Starts a node. */
async function startNode(
  cluster: string,
  { port = 0, hostname = "127.0.0.1", by = [], options = [] }: {
    readonly port?: number;
    readonly hostname?: string;
    /** A program that runs the node. */
    readonly by?: readonly string[];
    readonly options?: readonly string[];
  } = {},
): Promise<SpawnedServer> {
  const own = respawnCommand("own-server", "relay", "--ack-timeout", `${TIMEOUT}ms`, "--cluster", cluster);
  const [program, ...args] = [...by, ...own, ...options];
  return await SpawnedServer.start({
    command: [program!, ...args],
    env: FAIR_IO_ENV,
    hostnames: [hostname],
    port,
  });
}

/** Waits until each node knows all others. */
async function joined(nodes: readonly SpawnedServer[]): Promise<void> {
  const giveUpAt = performance.now() + SETTLE_TIMEOUT;
  for (;; await delay(LOOK_INTERVAL)) {
    const known = await Promise.all(nodes.map(async (node) => Number((await node.report())?.nodes)));
    if (known.every((count) => count === nodes.length - 1)) return;
    if (performance.now() > giveUpAt) throw new Error(`The nodes know ${known.join(", ")} others`);
  }
}

/** Runs clients at all nodes, and breaks something when a third of them have connected. */
async function trial(
  { clients, window, hold }: Load,
  { targets, strike, left }: {
    readonly targets: readonly Address[];
    /** Breaks something, and mends it if it can be mended. */
    readonly strike: () => Promise<void>;
    /** The nodes that must be left with nothing. */
    readonly left: () => readonly SpawnedServer[];
  },
): Promise<TrialResult> {
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
    if (connected.size >= clients / NODES) begun.resolve();
  };
  const striking = begun.promise.then(strike);
  const { judgement } = await runPlan({
    plan,
    generator: new LocalGenerator({
      // A node that is killed takes its counters along, so the sums are those of a server with other clients.
      run: {
        event: "run",
        schema: SCHEMA,
        rules: RULES,
        seed: 1,
        clients,
        protocol: "relay",
        server: "foreign",
        faults: true,
        maxLag: TIMEOUT,
      },
      plan,
      targets,
      network: systemNetwork,
      clock: systemClock,
      random: systemRandom,
      onEvent,
    }),
    server: {
      finalState: async () => {
        await striking;
        return await settled(left());
      },
    },
    clock: systemClock,
  });
  const reports = await Promise.all(left().map((node) => node.report()));
  const { acked, lost, resent, redelivered } = judgement.counts;
  return {
    verdict: judgement.verdict,
    clients,
    acked,
    lost,
    duplicates: judgement.count("duplicate"),
    resent,
    redelivered,
    busMessages: reports.reduce(
      (sum, report) => sum + Number((report?.bus as { sent?: number })?.sent ?? 0),
      0,
    ),
    findings: judgement.findings.slice(0, 5).map(({ text }) => text),
  };
}

/** Waits until the nodes hold nothing, and returns the sum of their states. */
async function settled(nodes: readonly SpawnedServer[]): Promise<ServerState | null> {
  const states = await Promise.all(nodes.map((node) => node.untilZero(SETTLE_TIMEOUT)));
  const sum = (of: (state: ServerState) => number | null | undefined): number =>
    states.reduce((total, state) => total + (state === null ? 0 : of(state) ?? 0), 0);
  if (states.includes(null)) return null;
  return {
    connections: sum(({ connections }) => connections),
    pending: sum(({ pending }) => pending),
    timers: sum(({ timers }) => timers),
    queuedBytes: sum(({ queuedBytes }) => queuedBytes),
    // A reconnected bus has a new socket, and those of the first clients were there before the count.
    descriptors: null,
    closed: {},
    redelivered: sum(({ redelivered }) => redelivered),
  };
}

async function stopAll(nodes: readonly SpawnedServer[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}

/** Kills one of three nodes that share a port. Its clients reconnect to the others. */
export async function killNode(load: Load): Promise<TrialResult> {
  const folder = await Deno.makeTempDir();
  const nodes: SpawnedServer[] = [];
  try {
    for (let count = 0; count < NODES; count++) {
      const port = nodes[0]?.addresses[0]?.port ?? 0;
      nodes.push(await startNode(`unix:${folder}`, { port, options: ["--reuse-port"] }));
    }
    await joined(nodes);
    const [victim, ...rest] = nodes;
    return await trial(load, {
      targets: victim!.addresses,
      strike: async () => {
        Deno.kill(victim!.pid, "SIGKILL");
        await victim!.ended;
      },
      left: () => rest,
    });
  } finally {
    await stopAll(nodes);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Kills the NATS server between three nodes, and starts it again after some ms. */
export async function stopNats(load: Load, outage: number): Promise<TrialResult> {
  const host = ownAddress();
  let nats = await NatsServer.start({ host });
  const nodes: SpawnedServer[] = [];
  try {
    for (let count = 0; count < NODES; count++) nodes.push(await startNode(nats.url));
    await joined(nodes);
    return await trial(load, {
      targets: nodes.flatMap(({ addresses }) => addresses),
      strike: async () => {
        await nats[Symbol.asyncDispose]();
        await delay(outage);
        nats = await NatsServer.start({ host, port: nats.port });
        await joined(nodes);
      },
      left: () => nodes,
    });
  } finally {
    await stopAll(nodes);
    await nats[Symbol.asyncDispose]();
  }
}

/** Cuts a node off from NATS and from its clients for some ms. */
export async function cutNode(load: Load, outage: number): Promise<TrialResult> {
  await using namespace = await NodeNamespace.create();
  await using nats = await NatsServer.start({ host: namespace.outside });
  const nodes: SpawnedServer[] = [];
  try {
    for (let count = 1; count < NODES; count++) nodes.push(await startNode(nats.url));
    nodes.push(
      await startNode(nats.url, { hostname: namespace.inside, by: namespace.command }),
    );
    await joined(nodes);
    return await trial(load, {
      targets: nodes.flatMap(({ addresses }) => addresses),
      strike: async () => {
        await namespace.disconnect();
        await delay(outage);
        await namespace.reconnect();
        await joined(nodes);
      },
      left: () => nodes,
    });
  } finally {
    await stopAll(nodes);
  }
}

if (import.meta.main) {
  const { clients, trial } = toolArgs({
    command: "deno task cluster-trials",
    words: { clients: 3000, trial: "all" },
  });
  const trials: Readonly<Record<string, () => Promise<TrialResult>>> = {
    kill: () => killNode({ clients, window: 6000, hold: 3000 }),
    nats: () => stopNats({ clients, window: 15_000, hold: 3000 }, 5000),
    cut: () => cutNode({ clients, window: 25_000, hold: 3000 }, 10_000),
  };
  if (trial !== "all" && !Object.hasOwn(trials, trial)) {
    const expected = ["all", ...Object.keys(trials)].join(", ");
    new Log().error(`Cannot use trial ${JSON.stringify(trial)}: expected one of ${expected}`);
    Deno.exit(2);
  }
  let good = true;
  for (const [name, run] of Object.entries(trials)) {
    if (trial !== "all" && trial !== name) continue;
    const result = await run();
    good &&= result.verdict === "proven" && result.redelivered > 0;
    writeLine(Deno.stdout, JSON.stringify({ trial: name, ...result }));
  }
  Deno.exit(good ? 0 : 1);
}
