import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LocalGenerator } from "../../loadtest/generate/generator.ts";
import type { RunEvent, ServerState } from "../../loadtest/history/events.ts";
import { HistoryDigest } from "../../loadtest/history/digest.ts";
import { HistoryVerifier } from "../../loadtest/history/verify.ts";
import { EXIT_CODES, judge } from "../../loadtest/judge/verdict.ts";
import { Ledger } from "../../loadtest/ledger/ledger.ts";
import { Plan, type PlanOptions } from "../../loadtest/plan/plan.ts";
import { runPlan } from "../../loadtest/run_plan.ts";
import { parseReplyDelay } from "../../loadtest/plan/reply_delay.ts";
import { Router, RouterPeer } from "../../relay/router/router.ts";
import { Line } from "../../socket/codecs/line.ts";
import { FramingError, listen, type Listener } from "../../socket/mod.ts";
import { CLIENTS, type Run, simulate } from "../_util/loadtest/simulated_run.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";
import type { Connection } from "../../socket/connection.ts";

const permissions = "none";

/** Returns the lines that a mutant sends in place of each line of its router. */
type Mutation = (sent: { peer: Peer; line: string; peers: readonly Peer[] }) => readonly [Peer, string][];

class Peer extends RouterPeer<Peer> {
  readonly connection: Connection;

  constructor(connection: Connection) {
    super();
    this.connection = connection;
  }
}

/** A relay of a test's own making, as far from right as `mutate` makes it. */
class MutantRelay {
  readonly listener: Listener;
  readonly #router: Router<Peer>;
  readonly #peers: Peer[] = [];
  /** Books of its own, which a leaky mutant forgets to clear once. */
  readonly #unsettled = new Set<string>();

  constructor(world: Simulation, { mutate, leak = false }: { mutate?: Mutation; leak?: boolean }) {
    let leaks = leak ? 1 : 0;
    this.#router = new Router<Peer>({ random: world.random, ackTimeout: 0, redeliver: true });
    const out = (peer: Peer, routed: Line) => {
      const line = routed.text();
      const sent: readonly [Peer, string][] = mutate?.({ peer, line, peers: this.#peers }) ?? [[peer, line]];
      for (const [to, text] of sent) to.connection.send(text);
    };
    this.listener = listen(world.seam);
    this.listener.serve(async (connection) => {
      const peer = new Peer(connection);
      this.#router.join(peer);
      this.#peers.push(peer);
      try {
        for await (const line of connection) {
          if (line.startsWith("message ")) this.#unsettled.add(line.slice(8));
          if (this.#router.line(peer, Line.of(line), 0, out).kind === "ok" && --leaks !== 0) {
            this.#unsettled.delete(line.slice(3));
          }
        }
      } catch (error) {
        if (!(error instanceof FramingError)) throw error;
      } finally {
        this.#peers.splice(this.#peers.indexOf(peer), 1);
        this.#router.leave(peer, 0, out);
      }
    });
  }

  state(): ServerState {
    const { connections, queuedBytes, closed } = this.listener.stats();
    const { stray, redelivered } = this.#router.stats();
    return {
      connections,
      pending: this.#unsettled.size,
      timers: 0,
      queuedBytes,
      descriptors: 0,
      closed,
      stray,
      redelivered,
    };
  }
}

async function simulateMutant(
  mutant: { mutate?: Mutation; leak?: boolean },
  plan?: Partial<PlanOptions>,
): Promise<Run> {
  const world = new Simulation({ latency: 1 });
  const relay = new MutantRelay(world, mutant);
  const { addresses } = relay.listener;
  const result = await simulate(world, {
    targets: addresses,
    finalState: () => relay.state(),
    ...(plan ? { plan } : {}),
  });
  await world.clock.runUntil(relay.listener.close());
  return result;
}

function kinds({ judgement }: Run): string[] {
  return [...new Set(judgement.findings.map(({ kind }) => kind))];
}

/** Acts on the `nth` ok that the router sends, and lets all others pass. */
function onOk(nth: number, act: Mutation): Mutation {
  let oks = 0;
  return (sent) => sent.line.startsWith("ok ") && ++oks === nth ? act(sent) : [[sent.peer, sent.line]];
}

Deno.test("runPlan() proves a correct relay", { permissions }, async () => {
  const world = new Simulation({ latency: 1 });
  const server = world.relay();
  const result = await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
  });
  assertEquals(result.judgement.findings, []);
  assertEquals(result.judgement.verdict, "proven");
  assertEquals(result.judgement.counts.acked, CLIENTS);
  assertEquals(server.stats().closed.natural, CLIENTS);
  await world.clock.runUntil(server.close());
  assertEquals(world.network.stats().sockets, 0);
  assertEquals(world.clock.timers, 0);
});

Deno.test("runPlan() reports as its last progress what all clients did", { permissions }, async () => {
  const world = new Simulation({ latency: 1 });
  const server = world.relay();
  const last: number[][] = [];
  await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    onProgress: ({ started, acknowledged, finished, open }) =>
      last.push([started, acknowledged, finished, open]),
  });
  assertEquals(last.at(-1), [CLIENTS, CLIENTS, CLIENTS, 0]);
  await world.clock.runUntil(server.close());
});

Deno.test(
  "runPlan() proves the test relay when it has no mutation",
  { permissions },
  async () => {
    assertEquals((await simulateMutant({})).judgement.verdict, "proven");
  },
);

Deno.test("runPlan() finds a relay that drops one ok in a thousand", { permissions }, async () => {
  let oks = 0;
  const run = await simulateMutant({
    mutate: ({ peer, line }) => line.startsWith("ok ") && ++oks % 1000 === 500 ? [] : [[peer, line]],
  }, { clients: 3000 });
  assertEquals(run.judgement.verdict, "failed");
  assert(run.judgement.counts.reconnects >= 3, `${run.judgement.counts.reconnects} reconnects`);
});

Deno.test("runPlan() finds a single dropped ok when the client succeeds on its second attempt", {
  permissions,
}, async () => {
  const run = await simulateMutant({ mutate: onOk(340, () => []) });
  assertEquals([run.judgement.verdict, run.judgement.counts.acked], ["failed", CLIENTS]);
  assertEquals(kinds(run), ["reason", "unnatural"]);
  assertEquals(run.judgement.counts.resent, 1);
});

Deno.test("runPlan() names a message when it is lost", { permissions }, async () => {
  let lost: string | undefined;
  const mutate: Mutation = ({ peer, line }) => {
    if (line.startsWith("ok ")) lost ??= line;
    return line === lost ? [] : [[peer, line]];
  };
  const run = await simulateMutant({ mutate });
  assertEquals([run.judgement.verdict, run.judgement.counts.lost], ["failed", 1]);
  assertEquals(kinds(run), ["reason", "lost", "unnatural"]);
  const [, message] = run.judgement.findings;
  assertStringIncludes(message!.text, "was sent 3 times and never acknowledged");
});

Deno.test("runPlan() finds a duplicate ok", { permissions }, async () => {
  const run = await simulateMutant({ mutate: onOk(340, ({ peer, line }) => [[peer, line], [peer, line]]) });
  assertEquals(run.judgement.verdict, "failed");
  assertEquals(kinds(run), ["duplicate"]);
});

Deno.test("runPlan() finds an ok that also goes to another client", { permissions }, async () => {
  const run = await simulateMutant({
    mutate: onOk(
      340,
      ({ peer, line, peers }) => [[peer, line], [peers.find((other) => other !== peer)!, line]],
    ),
  });
  assertEquals(run.judgement.verdict, "failed");
  assertEquals(kinds(run), ["unexpected"]);
});

Deno.test("runPlan() finds a relay that answers instead of its clients", { permissions }, async () => {
  let messages = 0;
  const run = await simulateMutant({
    mutate: ({ peer, line, peers }) => {
      if (!line.startsWith("message ") || ++messages !== 340) return [[peer, line]];
      return peers.map((other) => [other, `ok ${line.slice(8)}`]);
    },
  });
  assertEquals(run.judgement.verdict, "failed");
  assert(kinds(run).includes("unexpected"));
});

Deno.test("runPlan() finds one leaked pending message", { permissions }, async () => {
  const run = await simulateMutant({ leak: true });
  assertEquals(run.judgement.verdict, "failed");
  assertEquals(run.judgement.findings.map(({ text }) => text), [
    "The server is left with 1 pending message",
  ]);
});

Deno.test("runPlan() finds a leaked timer or socket", { permissions }, async () => {
  for (const left of ["timers", "descriptors", "queuedBytes", "connections"] as const) {
    const world = new Simulation();
    const server = world.relay();
    const finalState = () => ({ ...server.stats(), descriptors: 0, [left]: 1 });
    const run = await simulate(world, { targets: server.addresses, finalState, plan: { clients: 10 } });
    assertEquals([run.judgement.verdict, ...kinds(run)], ["failed", "leftover"], left);
    await world.clock.runUntil(server.close());
  }
});

Deno.test(
  "runPlan() ends at the deadline, and counts messages in flight separately",
  { permissions },
  async () => {
    const run = await simulateMutant({
      mutate: ({ peer, line }) => line.startsWith("ok ") ? [] : [[peer, line]],
    }, {
      clients: 100,
      deadline: 3000,
    });
    assertEquals(run.judgement.verdict, "failed");
    assertEquals([run.judgement.counts.acked, run.judgement.counts.underWay], [0, 100]);
    assertEquals(run.durationMs, 3000);
  },
);

Deno.test("runPlan() judges what it has when it is interrupted", { permissions }, async () => {
  const world = new Simulation();
  const server = world.relay();
  const plan = new Plan({
    seed: 1,
    clients: 100,
    window: 1000,
    arrival: "constant",
    replyDelay: parseReplyDelay("0"),
    payload: { type: "short" },
  });
  const run: RunEvent = {
    event: "run",
    schema: 1,
    seed: 1,
    clients: 100,
    protocol: "relay",
    server: "own",
    faults: false,
  };
  const generator = new LocalGenerator({ run, plan, targets: server.addresses, ...world.seam });
  const controller = new AbortController();
  world.clock.after(500, () => controller.abort());
  const finalState = () => Promise.resolve({ ...server.stats(), descriptors: 0 });
  const test = runPlan({
    plan,
    generator,
    clock: world.clock,
    server: { finalState },
    signal: controller.signal,
  });
  const { judgement, durationMs } = await world.clock.runUntil(test);
  assertEquals([judgement.verdict, durationMs, judgement.counts.acked], ["interrupted", 500, 50]);
  await world.clock.runUntil(server.close());
});

Deno.test("runPlan() fails, and names the server, when it dies", { permissions }, async () => {
  const world = new Simulation();
  const server = world.relay();
  const died = new Promise<string>((resolve) => world.clock.after(1000, () => resolve("signal SIGKILL")));
  const run = await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    died,
  });
  assertEquals([run.judgement.verdict, run.durationMs], ["failed", 1000]);
  assertStringIncludes(run.judgement.findings[0]!.text, "server ended before the run did: signal SIGKILL");
  await world.clock.runUntil(server.close());
});

Deno.test("runPlan() finds a server that had to be killed at its end", { permissions }, async () => {
  for (const hung of [undefined, "did not end within 15s"]) {
    const world = new Simulation();
    const server = world.relay();
    const run = await simulate(world, {
      targets: server.addresses,
      finalState: () => ({ ...server.stats(), descriptors: 0 }),
      plan: { clients: 10 },
      end: () => server.close().then(() => hung),
    });
    const { verdict, findings } = run.judgement;
    assertEquals([verdict, EXIT_CODES[verdict]], hung === undefined ? ["proven", 0] : ["failed", 1]);
    const text = "The server did not end within 15s after the run, and was killed";
    assertEquals(findings, hung === undefined ? [] : [{ kind: "hung", text }]);
    // The history has it, so that a verification gives the same verdict.
    const ledger = new Ledger(run.history.find((event) => event.event === "run")!);
    for (const event of run.history.slice(1)) ledger.record(event);
    assertEquals(judge(ledger).findings, findings);
  }
});

Deno.test(
  "runPlan() leaves the end of the server to the user when it is interrupted",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = world.relay();
    const controller = new AbortController();
    world.clock.after(500, () => controller.abort());
    const run = await simulate(world, {
      targets: server.addresses,
      finalState: () => ({ ...server.stats(), descriptors: 0 }),
      signal: controller.signal,
      end: () => Promise.resolve("did not end within 15s"),
    });
    assertEquals([run.judgement.verdict, run.judgement.count("hung")], ["interrupted", 0]);
    await world.clock.runUntil(server.close());
  },
);

Deno.test(
  "runPlan() does not wait for the end of the server when the user interrupts that",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = world.relay();
    const controller = new AbortController();
    const never = Promise.withResolvers<string | undefined>();
    const run = await simulate(world, {
      targets: server.addresses,
      finalState: () => ({ ...server.stats(), descriptors: 0 }),
      plan: { clients: 10 },
      signal: controller.signal,
      end: () => {
        world.clock.after(500, () => controller.abort());
        return never.promise;
      },
    });
    // The results were complete before.
    assertEquals([run.judgement.verdict, run.judgement.findings], ["proven", []]);
    await world.clock.runUntil(server.close());
  },
);

Deno.test(
  "HistoryVerifier returns the verdict of the run that wrote the history",
  { permissions },
  async () => {
    for (const nth of [Infinity, 17]) {
      const run = await simulateMutant({ mutate: onOk(nth, () => []) }, { clients: 300 });
      const digest = new HistoryDigest();
      const judge = new HistoryVerifier();
      for (const line of run.history.map((event) => JSON.stringify(event))) {
        digest.add(line);
        judge.push(line);
      }
      const { verdict } = run.judgement;
      judge.push(JSON.stringify({ event: "verdict", verdict, crossed: [], ...digest.result() }));
      assertEquals(judge.end().discrepancies, []);
      assertEquals(judge.end().verdict, nth === Infinity ? "proven" : "failed");
    }
  },
);
