/** One client of a scenario: connects, runs the session and its messages, and closes the connection. @module */
import { connect } from "../../../socket/connect.ts";
import type { Connection } from "../../../socket/connection.ts";
import {
  type CloseReason,
  ConnectError,
  ConnectionClosedError,
  describeCloseReason,
  FramingError,
} from "../../../socket/errors.ts";
import type { Network } from "../../../socket/network.ts";
import type { Clock } from "../../../internal/clock.ts";
import type { Pace } from "../../pace/pace.ts";
import { sendInTurn } from "./closed_messages.ts";
import { Context, type ContextFacts } from "./context.ts";
import { OpenMessages } from "./open_messages.ts";
import { AskError, describeThrown, SessionStoppedError, UnsentError } from "../errors.ts";
import type { ScenarioEvent, SessionEvent, ThrewEvent } from "../events.ts";
import type { LoadShape } from "../load_shape.ts";
import type { Scenario } from "../scenario.ts";
import { SessionCore } from "./core.ts";
import type { SessionCoreOptions } from "./core_options.ts";
import { guardedCodec } from "./guarded_codec.ts";
import { CLOSED_BY_SERVER } from "./texts.ts";

/** Observes the connection of a client. */
export interface SessionObserver {
  dialing(): void;
  connected(connection: Connection<unknown>): void;
  notConnected(error: ConnectError): void;
  closed(connection: Connection<unknown>, reason: CloseReason): void;
}

/** Options for {@linkcode SessionClient}. */
export interface SessionClientOptions
  extends
    Omit<SessionCoreOptions<unknown>, "correlate" | "onError" | "record">,
    Omit<ContextFacts<unknown, unknown>, "core" | "record"> {
  readonly scenario: Scenario;
  readonly record: (event: ScenarioEvent | ThrewEvent) => void;
  /** URL of the scenario file, which findings name. */
  readonly file?: string | undefined;
  readonly hostname: string;
  readonly port: number;
  readonly network: Network;
  readonly clock: Clock;
  /** When the client was due, in ms from the start of the run. */
  readonly due: number;
  readonly pace: Pace;
  readonly load: LoadShape;
  /** Number of scheduled messages of this client; `undefined` without a schedule. */
  readonly scheduled: number | undefined;
  readonly observer: SessionObserver;
  /** Called for a message that waited longer than the lag limit because too many were in flight. */
  readonly onHeldBack: () => void;
  /** The lag limit, in ms. */
  readonly maxLag: number;
}

/** Longest time for the server to close its side after the session, in ms. */
const CLOSE_TIMEOUT = 5000;

/** A client. */
export class SessionClient {
  readonly #options: SessionClientOptions;
  readonly #core: SessionCore<unknown>;
  readonly #facts: ContextFacts<unknown, unknown>;
  readonly #dial = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #connection: Connection<unknown> | undefined;
  #stopped = false;
  /** Why the connection ended, once nothing more can be read. */
  #endedBy: string | undefined;
  /** The first error that the scenario threw. */
  #threw: string | undefined;
  #failed: string | undefined;
  /** Whether the scenario did not catch the error of a request, which is a finding already. */
  #askFailed = false;
  /** Whether its event was recorded. */
  #sessionOver = false;
  /** Its scheduled messages, in an open model. */
  readonly messages: OpenMessages | undefined;

  constructor(options: SessionClientOptions) {
    this.#options = options;
    const { scenario, record, load, scheduled, maxLag, onHeldBack } = options;
    this.#core = new SessionCore({
      ...options,
      correlate: scenario.correlate,
      onError: (error) => this.#caught(error),
    });
    const facts = this.#facts = { ...options, core: this.#core, record };
    if (scheduled === undefined) return;
    const onError = (error: unknown): void => this.#caught(error);
    this.messages = new OpenMessages({ facts, scenario, load, scheduled, maxLag, onError, onHeldBack });
  }

  /** Runs the session to its end. */
  async run(): Promise<void> {
    const { observer, hostname, port, network, clock, scenario } = this.#options;
    observer.dialing();
    try {
      const signal = this.#dial.signal;
      const codec = guardedCodec(scenario.codec, (error) => this.#caught(error));
      this.#connection = await connect({ hostname, port, network, clock, signal, codec });
    } catch (error) {
      if (!this.#stopped) {
        if (!(error instanceof ConnectError)) throw error;
        observer.notConnected(error);
      }
      this.#core.end(error instanceof Error ? error.message : String(error), false);
      return this.#finished({ connected: false });
    }
    const connection = this.#connection;
    observer.connected(connection);
    this.#core.opened(connection);
    const reading = this.#read(connection);
    const body = this.#body().catch((error) => this.#caught(error));
    await Promise.race([body, this.#over.promise]);
    this.#finished();
    const reason = this.#stopped ? this.#abort(connection) : await this.#close(connection, reading);
    observer.closed(connection, reason);
    this.#core.end("the session is over", false);
  }

  /** Ends the session where it is. */
  stop(): void {
    this.#stopped = true;
    this.#dial.abort(new SessionStoppedError());
    const unfinished = this.#core.waitingFor;
    this.#core.stop();
    this.#failed ??= unfinished;
    this.#over.resolve();
  }

  async #body(): Promise<void> {
    const { scenario, due, load, pace } = this.#options;
    await scenario.session?.(new Context(this.#facts, due));
    if (scenario.message !== undefined) {
      const allSent = await (this.messages?.run() ?? sendInTurn({
        facts: this.#facts,
        scenario,
        load,
        pace,
        firstDue: scenario.session === undefined ? due : Infinity,
        over: this.#over.promise,
        onError: (error) => this.#caught(error),
      }));
      if (!allSent) this.#endedEarly();
    }
    await this.#core.idle();
  }

  /** Reads to the end of the connection. */
  async #read(connection: Connection<unknown>): Promise<FramingError | undefined> {
    let framing: FramingError | undefined;
    try {
      await connection.consume((frames) => this.#core.take(frames));
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      framing = error;
    }
    if (this.#stopped) return framing;
    const why = framing?.message ??
      (connection.open ? CLOSED_BY_SERVER : describeCloseReason(await connection.closed));
    // The server may close first, as after QUIT; what the session still sends then is lost.
    this.#endedBy = why;
    this.#core.end(why, framing?.code === "unterminated");
    this.messages?.end();
    return framing;
  }

  /** Sends FIN and books what still arrives until the server has closed, too. */
  async #close(
    connection: Connection<unknown>,
    reading: Promise<FramingError | undefined>,
  ): Promise<CloseReason> {
    const late: CloseReason = {
      type: "timeout",
      which: "connection not closed by the server",
      ms: CLOSE_TIMEOUT,
    };
    const timer = this.#options.clock.after(CLOSE_TIMEOUT, () => connection.abort(late));
    try {
      await connection.closeWrite();
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error; // The reason follows from `closed`.
    }
    const framing = await Promise.race([reading, this.#over.promise]);
    timer.cancel();
    if (this.#stopped) return this.#abort(connection);
    return await connection.close(framing === undefined ? undefined : { type: "framing", error: framing });
  }

  #abort(connection: Connection<unknown>): CloseReason {
    const reason: CloseReason = { type: "local", why: "the run is over" };
    connection.abort(reason);
    return reason;
  }

  #endedEarly(): void {
    if (this.#endedBy === undefined) return;
    this.#failed ??= `the connection ended before all messages were sent: ${this.#endedBy}`;
  }

  /** Keeps the first error that the scenario did not catch. The ledger already has those of requests. */
  #caught(error: unknown): void {
    if (error instanceof SessionStoppedError) return;
    if (error instanceof UnsentError) this.#failed ??= error.message;
    else if (error instanceof AskError) this.#askFailed = true;
    else if (!this.#sessionOver) this.#threw ??= describeThrown(error, this.#options.file);
    else {
      // A handler or the codec, while the connection was closing.
      const { client, file, record } = this.#options;
      const detail = `client ${client}, whose session was over, ${describeThrown(error, file)}`;
      record({ event: "threw", at: this.#core.now(), detail });
    }
  }

  #finished({ connected = true } = {}): void {
    this.#sessionOver = true;
    const event: SessionEvent = {
      event: "session",
      client: this.#options.client,
      at: this.#core.now(),
      result: "done",
    };
    const detail = this.#threw ?? this.#failed;
    if (detail === undefined && connected && !this.#askFailed) return this.#options.record(event);
    const result = this.#threw !== undefined ? "threw" : this.#stopped ? "unfinished" : "failed";
    this.#options.record({ ...event, result, ...(detail === undefined ? {} : { detail }) });
  }
}
