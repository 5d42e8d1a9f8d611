/** What became of the clients of a run, counted from its ledger, in the sense of Jepsen's `total-queue` checker. Pure. @module */
import { countScenario } from "../scenario/judge_scenario.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** What became of a client's message. */
export type Outcome =
  /** The client never came to life. */
  | "not-started"
  /** An ok came for it. */
  | "acked"
  /** No ok came, though it was sent and an attempt came to its end. */
  | "lost"
  /** No ok came, and nothing failed: the run was over first. */
  | "under-way";

/** How a client's last connection ended; `none` when it is open or never was. */
export type LastEnd = "natural" | "timeout" | "error" | "none";

/** The counts of a run. */
export interface OutcomeCounts {
  readonly clients: number;
  readonly started: number;
  readonly acked: number;
  readonly lost: number;
  readonly underWay: number;
  readonly notStarted: number;
  /** Acknowledged after an earlier attempt had failed: Jepsen's "recovered". */
  readonly recovered: number;
  /** Sends after the first. */
  readonly resent: number;
  /** Connections that were not a client's last. */
  readonly reconnects: number;
  /** Attempts to connect that failed. */
  readonly refused: number;
  /** Deliveries beyond one for each send, as the clients saw them. */
  readonly extraDeliveries: number;
  /** The same as the server counts it, where it does: more, when some never arrived. */
  readonly redelivered: number;
  /** Oks that settled nothing; `null` where the server does not tell. */
  readonly stray: number | null;
  /** How each client's last connection ended; `natural` means after its own ok. */
  readonly closed: Readonly<Record<Exclude<LastEnd, "none">, number>>;
  /** For each message, how often it was delivered and how often answered. */
  readonly deliveries: Uint32Array;
  readonly answers: Uint32Array;
}

/** Counts. */
export function countOutcomes(ledger: Ledger): OutcomeCounts {
  if (ledger.run.protocol === "scenario") return countScenario(ledger);
  const { clients, facts } = ledger;
  const { sends, connects, refusals } = clients.columns;
  const outcomes: Record<Outcome, number> = { "not-started": 0, acked: 0, lost: 0, "under-way": 0 };
  const closed = { natural: 0, timeout: 0, error: 0 };
  const counts = { recovered: 0, resent: 0, reconnects: 0, refused: 0 };
  sends.forEach((sent, row) => {
    const outcome = outcomeOf(ledger, row);
    const end = lastEndOf(ledger, row);
    outcomes[outcome]++;
    if (end !== "none") closed[end]++;
    if (outcome === "acked" && sent > 1) counts.recovered++;
    counts.resent += Math.max(0, sent - 1);
    counts.reconnects += Math.max(0, (connects[row] ?? 0) - 1);
    counts.refused += refusals[row] ?? 0;
  });
  const { deliveries, answers } = countDeliveries(ledger);
  const extraDeliveries = deliveries.reduce((sum, delivered, message) => {
    return sum + Math.max(0, delivered - (sends[clients.row(message)] ?? 0));
  }, 0);
  return {
    clients: clients.clients,
    started: clients.clients - outcomes["not-started"],
    acked: outcomes.acked,
    lost: outcomes.lost,
    underWay: outcomes["under-way"],
    notStarted: outcomes["not-started"],
    ...counts,
    extraDeliveries,
    redelivered: facts.server?.redelivered ?? extraDeliveries,
    stray: facts.server?.stray ?? null,
    closed,
    deliveries,
    answers,
  };
}

/** What became of the message of the client at `row`. */
export function outcomeOf({ clients, connections }: Ledger, row: number): Outcome {
  const { startedAt, ackedAt, sends, lastConnection } = clients.columns;
  if (Number.isNaN(startedAt[row])) return "not-started";
  if (!Number.isNaN(ackedAt[row])) return "acked";
  if (sends[row] === 0) return "under-way"; // what was never sent cannot be lost
  const reason = connections.reason(lastConnection[row] ?? -1);
  return sends[row] === 1 && (reason === undefined || reason === "stopped") ? "under-way" : "lost";
}

/** How the last connection of the client at `row` ended. */
export function lastEndOf({ run, clients, connections }: Ledger, row: number): LastEnd {
  const last = clients.columns.lastConnection[row] ?? -1;
  const reason = connections.reason(last);
  if (reason === undefined) return "none";
  // A scenario's session is over before its connection is closed.
  if (reason === "natural" && (run.protocol === "scenario" || connections.acks.at(last) > 0)) {
    return "natural";
  }
  return reason === "timeout" ? "timeout" : "error";
}

function countDeliveries({ run, deliveries }: Ledger): { deliveries: Uint32Array; answers: Uint32Array } {
  const delivered = new Uint32Array(run.clients);
  const answered = new Uint32Array(run.clients);
  for (let row = 0; row < deliveries.length; row++) {
    const message = deliveries.message.at(row);
    delivered[message] = (delivered[message] ?? 0) + 1;
    if (deliveries.isAnswered(row)) answered[message] = (answered[message] ?? 0) + 1;
  }
  return { deliveries: delivered, answers: answered };
}
