/** Records what the clients of a fleet do. @module */
import type { ProtocolError } from "../../protocol.ts";
import { describeCloseReason } from "../../socket/errors.ts";
import type { CloseReason, ConnectError } from "../../socket/errors.ts";
import type { Address } from "../../socket/network.ts";
import type { GeneratorLimit, MessageName } from "../history/events.ts";
import type { ClientRecord } from "../ledger/client_record.ts";
import type { Plan } from "../plan/plan.ts";
import type { ProgressCounter } from "./fleet_progress.ts";

/** Options for {@linkcode ClientRecorder}. */
export interface ClientRecorderOptions {
  readonly plan: Plan;
  /** The part of the plan. */
  readonly part: number;
  readonly parts: number;
  /** The addresses of the server; client `i` connects to the one at `i` modulo their number. */
  readonly targets: readonly Address[];
  /** ms since the run began. */
  readonly now: () => number;
  readonly record: ClientRecord;
  /** Counts what the clients do. */
  readonly progress: ProgressCounter;
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

/** Records what clients do, by their numbers. One for all clients: it has a few bytes for each, in typed arrays. */
export class ClientRecorder {
  readonly #options: ClientRecorderOptions;
  readonly #record: ClientRecord;
  readonly #now: () => number;
  /** By the place of a client in its part: when it was due, when it last began to connect, and how often it sent. */
  readonly #due: Float64Array;
  readonly #dialedAt: Float64Array;
  readonly #sends: Uint32Array;

  constructor(options: ClientRecorderOptions) {
    this.#options = options;
    this.#record = options.record;
    this.#now = options.now;
    const { plan, part, parts } = options;
    const clients = Math.max(0, Math.ceil((plan.clients - part) / parts));
    this.#due = new Float64Array(clients);
    this.#dialedAt = new Float64Array(clients);
    this.#sends = new Uint32Array(clients);
  }

  /** A client starts, which was due at `due` ms since the run began. */
  started(client: number, due: number): void {
    const planned = this.#options.plan.startAt(client);
    this.#due[this.#placeOf(client)] = due;
    this.#record.started(client, this.#now(), due === planned ? undefined : due);
  }

  /** Returns an observer of one client, for clients that do not know their numbers. */
  observerOf(client: number): ClientObserver {
    return new ClientObserver(client, this, this.#options.plan);
  }

  dialing(client: number): void {
    this.#dialedAt[this.#placeOf(client)] = this.#now();
  }

  connected(client: number, { local }: Ends): void {
    const { progress, targets } = this.#options;
    progress.open++;
    progress.connected++;
    const at = this.#now();
    const took = at - this.#dialedAt[this.#placeOf(client)]!;
    this.#record.connected(client, at, took, local, targets[client % targets.length]!);
  }

  notConnected(client: number, error: ConnectError): void {
    // An attempt that the run itself aborted was not refused.
    if (this.#options.stopped()) return;
    this.#record.refused(client, this.#now(), error.message, generatorLimitOf(error));
  }

  sent(client: number): void {
    if (this.#sends[this.#placeOf(client)]!++ > 0) this.#options.progress.resent++;
    this.#record.sent(client, this.#now());
  }

  received(client: number, _: Ends, message: MessageName): void {
    this.#record.received(client, this.#now(), message);
  }

  acknowledged(client: number, _: Ends, message: MessageName, own: boolean): void {
    const at = this.#now();
    if (own) this.#options.progress.acknowledge(at - this.#due[this.#placeOf(client)]!);
    this.#record.acknowledged(client, at, message);
  }

  answered(client: number, _: Ends, { message }: { readonly message: MessageName }): void {
    this.#record.answered(client, this.#now(), message);
  }

  complained(client: number, _: Ends, error: string | ProtocolError): void {
    // Cut, because a server may send a long error to every client.
    const text = typeof error === "string" ? `error ${error}` : `an invalid frame: ${error.message}`;
    this.#record.complained(client, this.#now(), text.slice(0, ERROR_SHOWN));
  }

  closed(client: number, _: Ends, reason: CloseReason): void {
    const { progress, stopped } = this.#options;
    progress.open--;
    const at = this.#now();
    if (reason.type === "natural") return this.#record.closed(client, at, reason.type);
    const type = stopped() && reason.type === "local" ? "stopped" : reason.type;
    this.#record.closed(client, at, type, describeCloseReason(reason));
  }

  #placeOf(client: number): number {
    const { part, parts } = this.#options;
    return (client - part) / parts;
  }
}

/** Observes one client of any protocol but the relay's. */
export class ClientObserver {
  readonly #client: number;
  readonly #recorder: ClientRecorder;
  readonly #plan: Plan;

  constructor(client: number, recorder: ClientRecorder, plan: Plan) {
    this.#client = client;
    this.#recorder = recorder;
    this.#plan = plan;
  }

  dialing(): void {
    this.#recorder.dialing(this.#client);
  }

  connected(connection: Ends): void {
    this.#recorder.connected(this.#client, connection);
  }

  notConnected(error: ConnectError): void {
    this.#recorder.notConnected(this.#client, error);
  }

  sent(): void {
    this.#recorder.sent(this.#client);
  }

  acknowledged(connection: Ends, text: string, own: boolean): void {
    this.#recorder.acknowledged(this.#client, connection, this.#plan.find(text) ?? text, own);
  }

  complained(connection: Ends, error: string): void {
    this.#recorder.complained(this.#client, connection, error);
  }

  closed(connection: Ends, reason: CloseReason): void {
    this.#recorder.closed(this.#client, connection, reason);
  }
}

/** Returns the limit of this process or machine that an error is about, whatever the server does. */
function generatorLimitOf({ code, cause }: ConnectError): GeneratorLimit | undefined {
  const osCode: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
  const limit = typeof osCode === "string" ? LIMITS[osCode] : undefined;
  return limit ?? (code === "exhausted" ? "descriptors" : undefined);
}
