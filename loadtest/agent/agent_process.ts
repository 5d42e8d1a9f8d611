/** A generator process on an agent: the side of the load test. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import { clockStep } from "../process/clock_step.ts";
import { formatDuration } from "../../internal/duration.ts";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { describeCloseReason, FramingError } from "../../socket/errors.ts";
import { type Address, formatAddress, type NetworkLayer } from "../../socket/network.ts";
import { systemClock } from "../../socket/tcp.ts";
import type { GeneratorEnd, GeneratorProcess } from "../generate/generator_process.ts";
import type { ChildMessage } from "../process/child_process.ts";
import { type ClockSample, estimateOffset } from "./clock_offset.ts";
import {
  AGENT_PROTOCOL,
  AGENT_WRITE_BUFFER,
  type AgentFile,
  MAX_AGENT_LINE,
  SILENCE_LIMIT,
  type ToAgent,
} from "./protocol.ts";

/** Options for {@linkcode AgentProcess.start}. */
export interface AgentProcessOptions {
  readonly address: Address;
  readonly token: string;
  /** TLS with the agent: a `ClientTls` of `@okline/okline/tls`. Default: none. */
  readonly tls?: NetworkLayer | undefined;
  readonly version: string;
  /** Id of the run. */
  readonly run: string;
  /** The scenario, and what it needs, if there is one; the scenario is the first. */
  readonly files?: readonly AgentFile[];
  /** Receives the lines of the process. */
  readonly onMessage: (message: ChildMessage) => void;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** The connection to an agent, and the lines that it has not read. */
interface Agent {
  readonly connection: Connection;
  readonly lines: AsyncIterator<string>;
}

const NOT_AN_AGENT = "it sent a line that is not an agent's";
const STUCK = "end of the process";

/** Requests for the time: the fastest answer counts. */
const CLOCK_SAMPLES = 12;

/** Longest waits for answers, in ms, of an agent that shows signs of life. */
// Longer than that of silence, which says more.
const ANSWER_TIMEOUT = 15_000;
const HISTORY_TIMEOUT = 60_000;

/** An agent cannot be used. */
export class AgentError extends Error {
  /** Always `AgentError`. */
  override readonly name = "AgentError";
}

/** A generator process on another machine. */
export class AgentProcess implements GeneratorProcess {
  readonly agent: NonNullable<GeneratorProcess["agent"]>;
  readonly ended: Promise<GeneratorEnd>;
  readonly #connection: Connection;
  readonly #lines: AsyncIterator<string>;
  readonly #clock: Clock;
  #givingUp: Timer | undefined;

  private constructor(
    connection: Connection,
    agent: NonNullable<GeneratorProcess["agent"]>,
    { lines, onMessage, clock }: {
      readonly lines: AsyncIterator<string>;
      readonly onMessage: AgentProcessOptions["onMessage"];
      readonly clock: Clock;
    },
  ) {
    this.#connection = connection;
    this.#lines = lines;
    this.#clock = clock;
    this.agent = agent;
    this.ended = follow({ connection, lines, onMessage }).finally(() => this.#givingUp?.cancel());
  }

  /**
   * Connects to an agent, compares the clocks, and starts a process there.
   *
   * @throws {AgentError} If the agent cannot be reached, refuses, or is not one.
   */
  static async start(options: AgentProcessOptions): Promise<AgentProcess> {
    const connection = await dial(options);
    try {
      return await AgentProcess.#begin(connection, options);
    } catch (error) {
      connection.abort();
      throw error;
    }
  }

  static async #begin(connection: Connection, options: AgentProcessOptions): Promise<AgentProcess> {
    const { address, token, version, run, files = [], onMessage, clock = systemClock } = options;
    const name = formatAddress(address);
    connection.send(`auth ${token}`);
    send(connection, { event: "hello", protocol: AGENT_PROTOCOL, version, run });
    const lines = connection[Symbol.asyncIterator]();
    const agent = { connection, lines, name };
    const within = { clock, timeout: ANSWER_TIMEOUT };
    await expect(agent, "hello", within);
    const samples: ClockSample[] = [];
    for (let count = 0; count < CLOCK_SAMPLES; count++) {
      const sentAt = epoch();
      send(connection, { event: "clock" });
      const { now } = await expect(agent, "clock", within);
      if (!Number.isFinite(now)) throw unusable(name, NOT_AN_AGENT);
      samples.push({ sentAt, receivedAt: epoch(), remote: Number(now) });
    }
    for (const file of files) send(connection, { event: "file", ...file });
    send(connection, { event: "start", ...(files[0] === undefined ? {} : { scenario: files[0].name }) });
    return new AgentProcess(connection, { name, ...estimateOffset(samples) }, { lines, onMessage, clock });
  }

  send(line: string): Promise<void> {
    send(this.#connection, { event: "order", line });
    return Promise.resolve();
  }

  /** Lets the agent end the process. An agent that has not done so some time after `grace` is given up. */
  terminate(grace: number): void {
    send(this.#connection, { event: "stop", grace });
    this.#givingUp ??= this.#clock.after(grace + ANSWER_TIMEOUT, () => {
      this.#connection.abort({ type: "timeout", which: STUCK, ms: grace + ANSWER_TIMEOUT });
    });
  }

  /**
   * Passes on the lines that the process has written to its history, once it has ended. Call it once. Passes on nothing
   * if the agent was lost before the process ended.
   *
   * @throws {AgentError} If the agent is lost before the last line
   */
  async history(onLines: (lines: readonly string[]) => void): Promise<void> {
    if ("detail" in await this.ended) return;
    const agent = { connection: this.#connection, lines: this.#lines, name: this.agent.name };
    send(agent.connection, { event: "history" });
    for (;;) {
      const { lines, last } = await expect(agent, "history", {
        clock: this.#clock,
        timeout: HISTORY_TIMEOUT,
      });
      if (last === true) return;
      onLines(lines as readonly string[]);
    }
  }

  /** Closes the connection, so that the agent is ready for the next load test. */
  async close(): Promise<void> {
    await this.#connection.close();
  }
}

async function dial({ address, tls }: AgentProcessOptions): Promise<Connection> {
  try {
    return await connect({
      ...address,
      ...(tls === undefined ? {} : { tls }),
      timeouts: { idle: SILENCE_LIMIT },
      limits: { maxLine: MAX_AGENT_LINE, writeBuffer: AGENT_WRITE_BUFFER },
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError(`Cannot reach the agent ${formatAddress(address)}: ${why}`, { cause });
  }
}

function epoch(): number {
  return performance.timeOrigin + performance.now() + clockStep();
}

function send(connection: Connection, message: ToAgent): void {
  if (connection.open && !connection.writeEnded) connection.send(JSON.stringify(message));
}

function unusable(name: string, why: string): AgentError {
  return new AgentError(`Cannot use the agent ${name}: ${why}`);
}

/** Returns the next message of a kind. */
async function expect(
  agent: Agent & { readonly name: string },
  event: string,
  { clock, timeout }: { readonly clock: Clock; readonly timeout: number },
): Promise<ChildMessage> {
  // Signs of life do not count: an agent that hangs at its disk may send them for hours.
  const timer = clock.after(timeout, () => {
    agent.connection.abort({ type: "timeout", which: `answer to ${event}`, ms: timeout });
  });
  try {
    for (;;) {
      const message = await receive(agent);
      if (typeof message === "string") throw unusable(agent.name, message);
      if (message.event === event) return message;
    }
  } finally {
    timer.cancel();
  }
}

/** Returns the next message of an agent, or why there is none. */
async function receive({ connection, lines }: Agent): Promise<ChildMessage | string> {
  try {
    const { done, value } = await lines.next();
    if (done) return await lossOf(connection);
    if (value.startsWith("error ")) return value.slice("error ".length);
    const message: unknown = JSON.parse(value);
    if (typeof message === "object" && message !== null && "event" in message) return message as ChildMessage;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof FramingError)) throw error;
  }
  // Without the line: another server may repeat the token.
  return NOT_AN_AGENT;
}

/** Passes the lines of a process on until it has ended, or the agent is gone. */
async function follow(
  agent: Agent & { readonly onMessage: AgentProcessOptions["onMessage"] },
): Promise<GeneratorEnd> {
  for (;;) {
    const message = await receive(agent);
    if (typeof message === "string") return { detail: message };
    if (message.event === "end") {
      const signal = message.signal as Deno.Signal | null;
      return { code: Number(message.code), signal };
    }
    if (message.event !== "alive") agent.onMessage(message);
  }
}

/** Describes why a connection ended before its last message. */
async function lossOf(connection: Connection): Promise<string> {
  const reason = await connection.close({ type: "local", why: "the agent ended the connection" });
  if (reason.type === "local") return "the agent closed the connection";
  if (reason.type === "timeout" && reason.which === STUCK) {
    return `the agent did not end its process within ${formatDuration(reason.ms)}`;
  }
  if (reason.type === "timeout" && reason.which !== "idle") {
    return `no ${reason.which} within ${formatDuration(reason.ms)}`;
  }
  if (reason.type === "timeout") return `the agent was silent for ${formatDuration(SILENCE_LIMIT)}`;
  return `the connection was lost (${describeCloseReason(reason)})`;
}
