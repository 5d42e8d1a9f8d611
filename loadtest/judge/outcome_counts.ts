/** Counts the outcomes of a run from its ledger, in the sense of Jepsen's `total-queue` checker. Pure. @module */
import { countScenario } from "../scenario/judge_scenario.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** The outcome of a message. */
export type Outcome =
  /** Its client never started. */
  | "not-started"
  /** It was acknowledged. */
  | "acked"
  /** It was sent, at least one attempt failed, and no ok arrived. */
  | "lost"
  /** No ok arrived and nothing failed: the run ended first. */
  | "under-way";

/** The end of a client's last connection; `none` if it is open or was never made. */
export type LastEnd = "natural" | "timeout" | "error" | "none";

/** The outcomes of a run, counted. */
export interface OutcomeCounts {
  readonly clients: number;
  readonly started: number;
  readonly acked: number;
  readonly lost: number;
  readonly underWay: number;
  readonly notStarted: number;
  /** Messages acknowledged after a failed attempt: "recovered" in Jepsen. */
  readonly recovered: number;
  /** Sends after the first. */
  readonly resent: number;
  /** Connections that were not a client's last. */
  readonly reconnects: number;
  /** Failed attempts to connect. */
  readonly refused: number;
  /** Deliveries beyond one per send, as the clients saw them. */
  readonly extraDeliveries: number;
  /** Redeliveries counted by the server if it counts them, else `extraDeliveries`. Some may never have arrived. */
  readonly redelivered: number;
  /** Oks that settled nothing; `null` if the server does not count them. */
  readonly stray: number | null;
  /** Ends of the last connection of each client; `natural` means after its own ok. */
  readonly closed: Readonly<Record<Exclude<LastEnd, "none">, number>>;
  /** Number of deliveries and answers of each client's message, by row. */
  readonly deliveries: Uint32Array;
  readonly answers: Uint32Array;
}

/** Counts the outcomes of a run. */
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
  const extraDeliveries = deliveries.reduce((sum, delivered, row) => {
    return sum + Math.max(0, delivered - (sends[row] ?? 0));
  }, 0);
  // A history may not mention some of its clients.
  const notStarted = outcomes["not-started"] + clients.clients - sends.length;
  return {
    clients: clients.clients,
    started: clients.clients - notStarted,
    acked: outcomes.acked,
    lost: outcomes.lost,
    underWay: outcomes["under-way"],
    notStarted,
    ...counts,
    extraDeliveries,
    redelivered: facts.server?.redelivered ?? extraDeliveries,
    stray: facts.server?.stray ?? null,
    closed,
    deliveries,
    answers,
  };
}

/** Returns the outcome of the message of the client at `row`. */
export function outcomeOf({ clients, connections }: Ledger, row: number): Outcome {
  const { startedAt, ackedAt, sends, lastConnection } = clients.columns;
  if (Number.isNaN(startedAt[row])) return "not-started";
  if (!Number.isNaN(ackedAt[row])) return "acked";
  if (sends[row] === 0) return "under-way"; // What was never sent cannot be lost.
  const reason = connections.reason(lastConnection[row] ?? -1);
  return sends[row] === 1 && (reason === undefined || reason === "stopped") ? "under-way" : "lost";
}

/** Returns how the last connection of the client at `row` ended. */
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

function countDeliveries({ clients, deliveries }: Ledger): { deliveries: Uint32Array; answers: Uint32Array } {
  const rows = clients.columns.sends.length;
  const delivered = new Uint32Array(rows);
  const answered = new Uint32Array(rows);
  for (let row = 0; row < deliveries.length; row++) {
    const sender = clients.row(deliveries.message.at(row));
    delivered[sender] = (delivered[sender] ?? 0) + 1;
    if (deliveries.isAnswered(row)) answered[sender] = (answered[sender] ?? 0) + 1;
  }
  return { deliveries: delivered, answers: answered };
}
