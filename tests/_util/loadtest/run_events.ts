/** Handmade histories of small load tests, for tests of the ledger and the judge. */
import { assertStringIncludes } from "@std/assert";
import type { FindingKind } from "../../../loadtest/judge/findings.ts";
import type { HistoryEvent, RunEvent, ServerState } from "../../../loadtest/history/events.ts";
import { Ledger } from "../../../loadtest/ledger/ledger.ts";
import { judge, type Judgement } from "../../../loadtest/judge/verdict.ts";

export const ZERO_STATE: ServerState = {
  connections: 0,
  pending: 0,
  timers: 0,
  queuedBytes: 0,
  descriptors: 0,
  closed: {},
  stray: 0,
  redelivered: 0,
};

export const SERVER = "127.0.0.1:8000";

/** Returns the address of a client. */
export function addressOf(client: number): string {
  return `127.0.0.1:${40_000 + client}`;
}

export function runEvent(clients: number, options: Partial<RunEvent> = {}): RunEvent {
  return {
    event: "run",
    schema: 1,
    seed: 1,
    clients,
    protocol: "relay",
    server: "own",
    faults: false,
    ...options,
  };
}

/** Events of one client in a good run: it sends at `at`, receives the message of `holds`, and gets its ok. */
export function clientEvents(client: number, options: { at: number; holds?: number }): HistoryEvent[] {
  const { at, holds = client } = options;
  return [
    { event: "planned", client, at, text: `hello #${client}` },
    { event: "start", client, at: at + 1 },
    { event: "connect", client, at: at + 3, took: 2, local: addressOf(client), remote: SERVER },
    { event: "send", client, at: at + 3 },
    { event: "receive", client, at: at + 5, message: holds },
    { event: "answer", client, at: at + 15, message: holds },
    { event: "ack", client, at: at + 20, message: client },
    { event: "close", client, at: at + 22, reason: "natural" },
  ];
}

/** The last events of a good run. */
export const ENDING: readonly HistoryEvent[] = [
  { event: "generator", process: 0, loopLag: 1, socketLag: 1 },
  { event: "stop", at: 5000, why: "done" },
  { event: "server", at: 5001, state: ZERO_STATE },
];

/** Events of a good run in which each client answers the message of the next one. */
export function goodRun(clients: number, options: Partial<RunEvent> = {}): HistoryEvent[] {
  const lives = Array.from({ length: clients }, (_, client) => {
    return clientEvents(client, { at: 10 * client, holds: (client + 1) % clients });
  });
  return [runEvent(clients, options), ...lives.flat(), ...ENDING];
}

/** Returns the ledger of a history that begins with its `run` event. */
export function ledgerOf(events: readonly HistoryEvent[]): Ledger {
  const [run] = events;
  if (run?.event !== "run") throw new TypeError("A history begins with its run event");
  const ledger = new Ledger(run);
  for (const event of events) ledger.record(event);
  return ledger;
}

/** Judges a good run of three clients without some of its events, and with others added before its end. */
export function changedRun(change: {
  without?: (event: HistoryEvent) => boolean;
  extra?: readonly HistoryEvent[];
  after?: (event: HistoryEvent) => boolean;
  run?: Parameters<typeof runEvent>[1];
}): Judgement {
  const { without = () => false, extra = [], after = (event) => event.event === "generator", run } = change;
  const events = goodRun(3, run).flatMap((event) => {
    return [...(without(event) ? [] : [event]), ...(after(event) ? extra : [])];
  });
  return judge(ledgerOf(events));
}

/** Asserts that the first finding of `kind` contains all of `parts`. */
export function assertFinding(judgement: Judgement, kind: FindingKind, ...parts: readonly string[]): void {
  const text = judgement.findings.find((finding) => finding.kind === kind)?.text ?? `no ${kind}`;
  for (const part of parts) assertStringIncludes(text, part);
}

/** Returns the events of a kind of one client. */
export function of(kind: HistoryEvent["event"], client: number): (event: HistoryEvent) => boolean {
  return (event) => event.event === kind && "client" in event && event.client === client;
}
