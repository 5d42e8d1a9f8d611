import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HistoryDigest } from "../../loadtest/history/digest.ts";
import { HistoryVerifier } from "../../loadtest/history/verify.ts";
import { CLIENTS, kinds } from "../_util/loadtest/simulated_run.ts";
import { type Mutation, onOk, simulateMutant } from "../_util/loadtest/mutant_relay.ts";

const permissions = "none";

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

Deno.test("runPlan() names the fault of a relay as the cause, and nothing when it cannot be known", {
  permissions,
}, async () => {
  /** Drops all lines that begin with `start` and, of these, `which`. */
  const drop = (start: string, which: (line: string, nth: number) => boolean = () => true): Mutation => {
    let count = 0;
    return ({ peer, line }) => line.startsWith(start) && which(line, ++count) ? [] : [[peer, line]];
  };
  /** Whether a line is the first one that was asked about. */
  const first = () => {
    let one: string | undefined;
    return (line: string): boolean => line === (one ??= line);
  };
  const every = (nth: number) => (_: string, count: number): boolean => count % nth === 0;
  const few = { clients: 100 };
  const mutants: [mutate: Mutation, cause: string | undefined, plan?: typeof few & { deadline?: number }][] =
    [
      [drop("ok ", first()), "not-acknowledged"],
      [drop("message ", first()), "not-delivered"],
      [drop("ok "), "not-acknowledged", few],
      [drop("ok "), "not-acknowledged", { ...few, deadline: 3000 }],
      [drop(""), "no-replies", few],
      [drop("", (_, count) => count > 500), "stopped-replying"],
      // Their clients have their ok after another attempt, or the messages have different fates.
      [drop("ok ", every(100)), undefined],
      [drop("message ", every(2)), undefined, few],
      [onOk(340, ({ peer, line }) => [[peer, line], [peer, line]]), undefined],
    ];
  for (const [mutate, cause, plan] of mutants) {
    const { judgement } = await simulateMutant({ mutate }, plan);
    assertEquals([judgement.verdict, judgement.cause?.kind], ["failed", cause]);
    const independent = judgement.findings.filter(({ follows }) => !follows).map(({ kind }) => kind);
    assertEquals(independent.length === 0, cause !== undefined, independent.join());
  }
});

Deno.test("runPlan() finds one leaked pending message", { permissions }, async () => {
  const run = await simulateMutant({ leak: true });
  assertEquals(run.judgement.verdict, "failed");
  assertEquals(run.judgement.findings.map(({ text }) => text), [
    "The server is left with 1 pending message",
  ]);
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
