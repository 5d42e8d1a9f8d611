import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  assertProven,
  type LoadTestRun,
  runLoadTest,
  type Scenario,
  scenario,
  type ScenarioTestOptions,
} from "../../loadtest/mod.ts";
import { HistoryVerifier } from "../../loadtest/history/verify.ts";
import { lineCodec, listen, type Listener } from "../../socket/mod.ts";
import type { Connection } from "../../socket/connection.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";

const permissions = "none";

const CLIENTS = 40;
const ROUNDS = 25;

/** Sends lines that no other client sends, several at a time. */
const echo = scenario({
  codec: lineCodec(),
  async session(t) {
    for (let round = 0; round < ROUNDS; round++) {
      const lines = [0, 1, 2, 3].map((place) => `say ${t.client} ${round} ${place}`);
      await Promise.allSettled(lines.map((line) => t.ask(line, { expect: line, timeout: "2s" })));
    }
  },
});

/** A key-value store: every client writes and reads its own key. */
const keyValue = scenario({
  codec: lineCodec(),
  async session(t) {
    for (let round = 0; round < ROUNDS; round++) {
      await t.ask(`SET key${t.client} value-${t.client}-${round}`, { expect: "STORED", timeout: "2s" });
      await t.ask(`GET key${t.client}`, { expect: `VALUE value-${t.client}-${round}`, timeout: "2s" });
    }
  },
});

/** The same with both requests in flight. */
const pipelined = scenario({
  codec: lineCodec(),
  async session(t) {
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.allSettled([
        t.ask(`SET key${t.client} value-${t.client}-${round}`, { expect: "STORED", timeout: "2s" }),
        t.ask(`GET key${t.client}`, { expect: `VALUE value-${t.client}-${round}`, timeout: "2s" }),
      ]);
    }
  },
});

/** Sends the lines of `echo` in one write each round. */
const batchedEcho = scenario({
  codec: lineCodec(),
  async session(t) {
    for (let round = 0; round < ROUNDS; round++) {
      const lines = [0, 1, 2, 3].map((place) => `say ${t.client} ${round} ${place}`);
      await t.askAll(lines, { expectEach: lines, timeout: "2s" }).catch(() => {});
    }
  },
});

/** Sends the requests of `pipelined` in one write each round. */
const batchedStore = scenario({
  codec: lineCodec(),
  async session(t) {
    for (let round = 0; round < ROUNDS; round++) {
      const value = `value-${t.client}-${round}`;
      await t.askAll([`SET key${t.client} ${value}`, `GET key${t.client}`], {
        expectEach: ["STORED", `VALUE ${value}`],
        timeout: "2s",
      }).catch(() => {});
    }
  },
});

/** Scenarios whose server is an echo. */
const ECHOES: readonly unknown[] = [echo, batchedEcho];

type Peer = Connection<string>;
/** Returns the frames that a server sends in place of a reply. */
type Mutation = (reply: { peer: Peer; line: string; number: number; peers: readonly Peer[] }) => void;

const send: Mutation = ({ peer, line }) => void peer.send(line);

/** Serves echo or key-value, wrong where `mutate` is. */
function serve(world: Simulation, kind: "echo" | "key-value", mutate: Mutation = send): Listener {
  const values = new Map<string, string>();
  const peers: Peer[] = [];
  let number = 0;
  const listener = listen(world.seam);
  listener.serve(async (peer) => {
    peers.push(peer);
    for await (const request of peer) {
      const [verb, key = "", value = ""] = request.split(" ");
      let line = request;
      if (kind === "key-value") {
        if (verb === "SET") values.set(key, value);
        line = verb === "SET" ? "STORED" : `VALUE ${values.get(key)}`;
      }
      mutate({ peer, line, number: number++, peers });
    }
    peers.splice(peers.indexOf(peer), 1);
  });
  return listener;
}

async function test<Frame, Shared>(
  tested: Scenario<Frame, Shared>,
  {
    world = new Simulation(),
    mutate,
    kind = ECHOES.includes(tested) ? "echo" : "key-value",
    ...options
  }:
    & { world?: Simulation; mutate?: Mutation; kind?: "echo" | "key-value" }
    & Partial<ScenarioTestOptions<Frame, Shared>> = {},
): Promise<LoadTestRun & { verified: string; history: readonly string[] }> {
  const listener = serve(world, kind, mutate);
  const history: string[] = [];
  const run = await world.clock.runUntil(
    runLoadTest({
      scenario: tested,
      target: listener.addresses,
      clients: CLIENTS,
      seed: 7,
      ...world.seam,
      onHistoryLine: (line) => history.push(line),
      ...options,
    }),
  );
  await world.clock.runUntil(listener.close());
  const verifier = new HistoryVerifier();
  for (const line of history) verifier.push(line);
  const judged = verifier.end();
  assertEquals(judged.discrepancies, []);
  assertEquals(judged.judgement.findings, run.findings);
  return { ...run, verified: judged.verdict, history };
}

Deno.test({
  name: "runLoadTest() delivers a scenario against a correct server",
  permissions,
  fn: async () => {
    for (const tested of [echo, keyValue, batchedEcho, batchedStore]) {
      const run = await test(tested);
      assertProven(run);
      assertEquals(run.verdict, "delivered");
      const { scenario: metrics, acked, closed } = run.summary;
      const requests = CLIENTS * ROUNDS * (ECHOES.includes(tested) ? 4 : 2);
      assertEquals([acked, metrics?.requests, metrics?.sessions.done], [requests, requests, CLIENTS]);
      assertEquals(closed.natural, CLIENTS);
      assertEquals(
        metrics?.steps.map(({ name }) => name),
        ECHOES.includes(tested) ? ["say"] : ["SET", "GET"],
      );
    }
  },
});

Deno.test({
  name: "runLoadTest() replays the same run from the same seed",
  permissions,
  fn: async () => {
    const [one, other] = [await test(echo), await test(echo)];
    assertEquals(one.history, other.history);
    const { history } = await test(echo, { seed: 8 });
    assert(JSON.stringify(history) !== JSON.stringify(one.history));
  },
});

/** Every mutant, the finding that names it, and whether it shows in a key-value store, whose replies are alike. */
const MUTANTS: readonly {
  readonly name: string;
  readonly finds: string;
  readonly mutate: () => Mutation;
  readonly scenarios: readonly (typeof echo)[];
}[] = [
  {
    name: "loses one reply",
    finds: "lost",
    scenarios: [echo, keyValue, batchedEcho, batchedStore],
    mutate: () => (reply) => reply.number === 500 ? undefined : send(reply),
  },
  {
    name: "sends one reply twice",
    finds: "duplicate",
    scenarios: [echo, keyValue, batchedEcho, batchedStore],
    mutate: () => (reply) => {
      send(reply);
      if (reply.number === 500) send(reply);
    },
  },
  {
    name: "swaps two replies between sessions",
    finds: "foreign",
    scenarios: [echo, keyValue, batchedEcho, batchedStore],
    mutate: () => {
      let held: Parameters<Mutation>[0] | undefined;
      return (reply) => {
        const distinct = reply.line !== "STORED";
        if (held === undefined && reply.number >= 500 && distinct) {
          held = reply;
        } else if (held !== undefined && held.peer !== reply.peer && held.peer.open && distinct) {
          held.peer.send(reply.line);
          reply.peer.send(held.line);
          held = { ...reply, peer: { open: false } as Peer };
        } else send(reply);
      };
    },
  },
  {
    name: "reorders the replies of a connection",
    finds: "reordered",
    scenarios: [echo, pipelined, batchedEcho, batchedStore],
    mutate: () => {
      let held: Parameters<Mutation>[0] | undefined;
      return (reply) => {
        if (reply.number === 500) held = reply;
        else if (held !== undefined && held.peer === reply.peer) {
          send(reply);
          send(held);
          held = undefined;
        } else send(reply);
      };
    },
  },
  {
    name: "truncates a reply",
    finds: "truncated",
    scenarios: [echo, keyValue, batchedEcho, batchedStore],
    mutate: () => (reply) => send(reply.number === 501 ? { ...reply, line: reply.line.slice(0, -1) } : reply),
  },
  {
    name: "answers one request wrongly",
    finds: "wrong",
    scenarios: [echo, keyValue, batchedEcho, batchedStore],
    mutate: () => (reply) =>
      send(reply.number === 501 ? { ...reply, line: `X${reply.line.slice(1)}` } : reply),
  },
];

for (const { name, finds, mutate, scenarios } of MUTANTS) {
  Deno.test({
    name: `runLoadTest() finds "${finds}" when the server ${name}`,
    permissions,
    fn: async () => {
      for (const tested of scenarios) {
        const run = await test(tested, { mutate: mutate() });
        assertEquals(run.verdict, "failed");
        assertEquals(run.verified, "failed");
        const kinds = new Set(run.findings.map(({ kind }) => kind));
        kinds.delete("unnatural"); // A session that gives up.
        kinds.delete("reason");
        assertEquals([...kinds], [finds], JSON.stringify(run.findings));
        assertThrows(() => assertProven(run), Error, "Load test failed");
      }
    },
  });
}

Deno.test({
  name: "runLoadTest() finds a wrong reply in 10,000 requests",
  permissions,
  fn: async () => {
    for (
      const { tested, clients, wrong } of [
        { tested: echo, clients: 100, wrong: "say something else" },
        { tested: pipelined, clients: 200, wrong: "VALUE value-of-nothing" },
      ]
    ) {
      const run = await test(tested, {
        clients,
        mutate: (reply) => send(reply.number === 7_777 ? { ...reply, line: wrong } : reply),
      });
      assertEquals(run.summary.scenario?.requests, 10_000);
      assertEquals([run.verified, run.findings.map(({ kind }) => kind)], ["failed", ["wrong"]]);
      assertStringIncludes(run.findings[0]!.text, `got "${wrong}"`);
    }
  },
});
