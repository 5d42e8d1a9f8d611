/** Records what one client does, as events of a history. @module */
import type { ProtocolError } from "../../protocol.ts";
import { describeCloseReason } from "../../socket/errors.ts";
import type { CloseReason, ConnectError } from "../../socket/errors.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import type { GeneratorLimit, HistoryEvent } from "../history/events.ts";
import type { LatencyHistogram } from "../metrics/latency.ts";
import type { Plan } from "../plan/plan.ts";

/** Settings that the recorders of all clients share. */
export interface RecorderSettings {
  readonly plan: Plan;
  /** ms since the run began. */
  readonly now: () => number;
  readonly record: (event: HistoryEvent) => void;
  /** Counters to update. */
  readonly progress: { connected: number; acknowledged: number; open: number; resent: number };
  /** Records the times from planned start to ok. */
  readonly latency: LatencyHistogram;
  /** Returns whether the run has stopped its clients. */
  readonly stopped: () => boolean;
}

const LIMITS: Readonly<Record<string, GeneratorLimit>> = {
  EMFILE: "descriptors",
  ENFILE: "descriptors",
  EADDRNOTAVAIL: "ports",
  ENOMEM: "memory",
  ENOBUFS: "memory",
};

/** Length to which a history truncates a server error, in UTF-16 units. */
const ERROR_SHOWN = 200;

interface Ends {
  readonly local: Address;
}

/** Observes a client of any protocol, and records its events. */
export class ClientRecorder {
  readonly #client: number;
  /** When it was due, in ms since the run began. */
  readonly #due: number;
  /** The address of the server. */
  readonly #remote: string;
  readonly #settings: RecorderSettings;
  #dialedAt = 0;
  #sends = 0;

  /**
   * @param options.due When the client is due, in ms since the run began.
   * @param options.remote The address of the server.
   */
  constructor(
    options: { readonly client: number; readonly due: number; readonly remote: string },
    settings: RecorderSettings,
  ) {
    this.#client = options.client;
    this.#due = options.due;
    this.#remote = options.remote;
    this.#settings = settings;
  }

  dialing(): void {
    this.#dialedAt = this.#settings.now();
  }

  connected(connection: Ends): void {
    const { now, record, progress } = this.#settings;
    progress.open++;
    progress.connected++;
    const at = now();
    const took = at - this.#dialedAt;
    record({
      event: "connect",
      client: this.#client,
      at,
      took,
      local: formatAddress(connection.local),
      remote: this.#remote,
    });
  }

  notConnected(error: ConnectError): void {
    const { now, record, stopped } = this.#settings;
    // An attempt that the run itself aborted was not refused.
    if (stopped()) return;
    const limit = generatorLimitOf(error);
    record({
      event: "refused",
      client: this.#client,
      at: now(),
      error: error.message,
      ...(limit === undefined ? {} : { limit }),
    });
  }

  sent(): void {
    const { now, record, progress } = this.#settings;
    if (this.#sends++ > 0) progress.resent++;
    record({ event: "send", client: this.#client, at: now() });
  }

  received(_: Ends, text: string): void {
    this.#message("receive", text);
  }

  answered(_: Ends, text: string): void {
    this.#message("answer", text);
  }

  acknowledged(_: Ends, text: string, own: boolean): void {
    if (own) this.#countOk();
    this.#message("ack", text);
  }

  complained(_: Ends, error: string | ProtocolError): void {
    const { now, record } = this.#settings;
    // Cut, because a server may send a long error to every client.
    const text = typeof error === "string" ? `error ${error}` : `an invalid frame: ${error.message}`;
    record({ event: "error", client: this.#client, at: now(), text: text.slice(0, ERROR_SHOWN) });
  }

  closed(_: Ends, reason: CloseReason): void {
    const { now, record, progress, stopped } = this.#settings;
    progress.open--;
    const at = now();
    if (reason.type === "natural") {
      return record({ event: "close", client: this.#client, at, reason: reason.type });
    }
    const type = stopped() && reason.type === "local" ? "stopped" : reason.type;
    record({ event: "close", client: this.#client, at, reason: type, detail: describeCloseReason(reason) });
  }

  #countOk(): void {
    const { now, progress, latency } = this.#settings;
    progress.acknowledged++;
    latency.record(now() - this.#due);
  }

  #message(event: "receive" | "answer" | "ack", text: string): void {
    const { plan, now, record } = this.#settings;
    record({ event, client: this.#client, at: now(), message: plan.find(text) ?? text });
  }
}

/** Returns the limit of this process or machine that an error is about, whatever the server does. */
function generatorLimitOf({ code, cause }: ConnectError): GeneratorLimit | undefined {
  const osCode: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
  const limit = typeof osCode === "string" ? LIMITS[osCode] : undefined;
  return limit ?? (code === "exhausted" ? "descriptors" : undefined);
}
