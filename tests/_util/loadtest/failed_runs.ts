/** Runs that failed, and the causes that the judge names. */
import { assertEquals } from "@std/assert";
import type { CauseKind } from "../../../loadtest/judge/cause/rule.ts";
import type { EndType, HistoryEvent, RunEvent } from "../../../loadtest/history/events.ts";
import { judge, type Judgement } from "../../../loadtest/judge/verdict.ts";
import { addressOf, ledgerOf, runEvent, SERVER } from "./run_events.ts";

/** Events of one client, which starts 10 ms after the one before it. */
export function life(
  client: number,
  more: (at: number) => readonly HistoryEvent[] = () => [],
): HistoryEvent[] {
  const at = 10 * client;
  return [
    { event: "planned", client, at, text: `hello #${client}` },
    { event: "start", client, at },
    ...more(at),
  ];
}

export function connected(client: number, at: number): HistoryEvent[] {
  return [
    { event: "connect", client, at: at + 2, took: 2, local: addressOf(client), remote: SERVER },
    { event: "send", client, at: at + 2 },
  ];
}

/** A client that sends, and whose connection ends after a time without its ok. */
export function unanswered(
  client: number,
  reason: EndType = "timeout",
  after = 1000,
  detail = `${reason}: …`,
): HistoryEvent[] {
  return life(client, (at) => [
    ...connected(client, at),
    { event: "close", client, at: at + after, reason, detail },
  ]);
}

export function answered(client: number): HistoryEvent[] {
  return life(client, (at) => [
    ...connected(client, at),
    { event: "ack", client, at: at + 5, message: client },
    { event: "close", client, at: at + 6, reason: "natural" },
  ]);
}

export const REFUSED = "Cannot connect to 127.0.0.1:8000: refused";

export function refused(client: number, error = REFUSED): HistoryEvent[] {
  return life(client, (at) => [{ event: "refused", client, at: at + 1, error }]);
}

/** The clients from `from` up to `to`. */
export function each(from: number, to: number, one: (client: number) => HistoryEvent[]): HistoryEvent[] {
  return Array.from({ length: to - from }, (_, index) => one(from + index)).flat();
}

export const GENERATOR: HistoryEvent = { event: "generator", process: 0, loopLag: 1, socketLag: 1 };
export const STOP: HistoryEvent = { event: "stop", at: 5000, why: "deadline" };

/** Judges a run of echo clients at a foreign server that ended at its deadline. */
export function judged(
  clients: number,
  lives: readonly HistoryEvent[],
  { run = {}, ending = [GENERATOR, STOP] }: {
    run?: Partial<RunEvent>;
    ending?: readonly HistoryEvent[];
  } = {},
): Judgement {
  return judge(ledgerOf([
    runEvent(clients, { protocol: "echo", server: "foreign", ...run }),
    ...lives,
    ...ending,
  ]));
}

/** The cause, and the kinds of findings that follow from it and that do not. */
export function causeOf({ cause, findings }: Judgement): readonly unknown[] {
  const kinds = (wanted: boolean): string =>
    [...new Set(findings.filter(({ follows = false }) => follows === wanted).map(({ kind }) => kind))].join();
  return [cause?.kind, cause?.text, kinds(true), kinds(false)];
}

export function assertCause(
  judgement: Judgement,
  kind: CauseKind,
  text: string,
  { follow, others = "" }: { follow: string; others?: string },
): void {
  assertEquals(judgement.verdict, "failed");
  assertEquals(causeOf(judgement), [kind, text, follow, others]);
}

export function assertNoCause(judgement: Judgement): void {
  assertEquals(judgement.verdict, "failed");
  assertEquals([judgement.cause, judgement.findings.some(({ follows }) => follows)], [undefined, false]);
}

export const died = (at: number): HistoryEvent => ({
  event: "died",
  at,
  process: "server",
  detail: "exit code 3",
});
export const OWN: Partial<RunEvent> = { server: "own", protocol: "relay" };
