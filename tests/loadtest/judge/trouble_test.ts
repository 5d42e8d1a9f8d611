import { assertEquals } from "@std/assert";
import type { RunEvent } from "../../../loadtest/history/events.ts";
import {
  judgeSoFar,
  mergeTrouble,
  noTrouble,
  troubleOf,
  warningsOf,
} from "../../../loadtest/judge/trouble.ts";
import { Ledger } from "../../../loadtest/ledger/ledger.ts";
import { pure } from "../../_util/permissions.ts";

const RUN: RunEvent = {
  event: "run",
  schema: 1,
  seed: 1,
  clients: 4,
  protocol: "relay",
  server: "own",
  faults: false,
  rules: 2,
};
const FINE = { resent: 0, lag: 0 };

/** The ledger of one client that got an ok which it had not asked for. */
function withStrayOk(client: number): Ledger {
  const ledger = new Ledger(RUN);
  ledger.record({ event: "planned", client, at: 0, text: "x" });
  ledger.record({ event: "start", client, at: 0 });
  ledger.record({ event: "ack", client, at: 1, message: client });
  return ledger;
}

Deno.test("judgeSoFar() returns no verdict when nothing is wrong yet", pure, () => {
  assertEquals(judgeSoFar(RUN, noTrouble(), FINE), { verdict: null, findings: [] });
});

Deno.test("judgeSoFar() returns failed for what the run cannot get rid of, from all generators", pure, () => {
  const trouble = mergeTrouble([troubleOf(withStrayOk(1)), troubleOf(withStrayOk(3))]);
  const { verdict, findings } = judgeSoFar(RUN, trouble, FINE);
  assertEquals(verdict, "failed");
  assertEquals(findings.map(({ kind, text }) => [kind, text.slice(0, 8)]), [
    ["unexpected", "Client 1"],
    ["unexpected", "Client 3"],
  ]);
});

Deno.test("judgeSoFar() returns failed after a resend or a refusal, unless faults are injected", pure, () => {
  const ledger = new Ledger(RUN);
  ledger.record({ event: "planned", client: 0, at: 0, text: "x" });
  ledger.record({ event: "start", client: 0, at: 0 });
  ledger.record({ event: "refused", client: 0, at: 1, error: "connection refused" });
  for (
    const [trouble, figures] of [[troubleOf(ledger), FINE], [noTrouble(), { ...FINE, resent: 1 }]] as const
  ) {
    assertEquals(judgeSoFar(RUN, trouble, figures).verdict, "failed");
    assertEquals(judgeSoFar({ ...RUN, faults: true }, trouble, figures).verdict, null);
  }
  assertEquals(judgeSoFar(RUN, troubleOf(ledger), FINE).findings, [
    { kind: "reason", text: "Could not connect once: connection refused" },
  ]);
});

Deno.test("judgeSoFar() returns invalid when a generator is late or has died", pure, () => {
  const late = judgeSoFar({ ...RUN, maxLag: 50 }, noTrouble(), { resent: 0, lag: 51.4 });
  assertEquals(late.verdict, "invalid");
  assertEquals(late.findings.map(({ text }) => text), [
    "So far, the generator is 51ms late at the 99th percentile (limit 50ms)",
  ]);
  const died = { event: "died", at: 5, process: 1, detail: "signal SIGKILL" } as const;
  const dead = judgeSoFar(RUN, { ...noTrouble(), died: [died] }, FINE);
  assertEquals(dead.verdict, "invalid");
  assertEquals(dead.findings.map(({ text }) => text), [
    "Generator process 1 ended before the run did: signal SIGKILL",
  ]);
});

Deno.test("warningsOf() names generators that have ended too early, and those that are silent", pure, () => {
  const died = [{ event: "died", at: 5, process: 0, detail: "exit code 1" }] as const;
  const silent = [{ process: 1, agent: "10.0.0.2:7000" }];
  assertEquals(warningsOf({ ...noTrouble(), died, silent }), [
    "Generator process 0 ended before the run did: exit code 1",
    "Generator process 1 at the agent 10.0.0.2:7000 has not reported for 3s",
  ]);
  assertEquals(warningsOf(noTrouble()), []);
});
