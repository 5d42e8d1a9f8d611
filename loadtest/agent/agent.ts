/** Runs generator processes for load tests on other machines. @module */
import { authenticate } from "../../access/authenticate.ts";
import { tokenCheck } from "../../access/token.ts";
import { errorLine } from "../../protocol.ts";
import { clockStep } from "../process/clock_step.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectionClosedError, describeToPeer } from "../../socket/errors.ts";
import { listen, type Listener } from "../../socket/listen.ts";
import type { Address, Network, NetworkLayer } from "../../socket/network.ts";
import { readLines } from "../history/line_file.ts";
import { type ChildMessage, ChildProcess } from "../process/child_process.ts";
import { agentCodec } from "./agent_codec.ts";
import {
  AGENT_PROTOCOL,
  AGENT_WRITE_BUFFER,
  ALIVE_INTERVAL,
  type FromAgent,
  isInnerName,
  type ToAgent,
} from "./protocol.ts";
import { sha256Of } from "./sha256.ts";

/** Options for {@linkcode Agent}. */
export interface AgentOptions {
  readonly address: Address;
  /** The token that a load test must show. */
  readonly token: string;
  /** The version of this program. */
  readonly version: string;
  /** The program of a generator process, and its environment. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: sockets of the system. */
  readonly network?: Network;
  /** TLS for load tests: a `ServerTls` of `@okline/okline/tls`. Default: none; the token travels in plain text. */
  readonly tls?: NetworkLayer | undefined;
  /** Receives what happens, for a log. */
  readonly onLog?: (message: string) => void;
}

const AUTH = "auth ";

/** Waits for load tests, and runs a generator process for each of their connections. */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #listener: Listener;
  readonly #isToken: (given: string) => boolean;
  readonly #sessions = new Set<Session>();

  /** Listens. */
  constructor(options: AgentOptions) {
    const { address, network, tls, token } = options;
    this.#options = options;
    this.#isToken = tokenCheck(token);
    this.#listener = listen({
      hostnames: [address.hostname],
      port: address.port,
      codec: agentCodec((line) => line.startsWith(AUTH) && this.#isToken(line.slice(AUTH.length))),
      limits: { writeBuffer: AGENT_WRITE_BUFFER },
      farewell(reason) {
        const message = describeToPeer(reason);
        return message === undefined ? undefined : errorLine(message);
      },
      ...(network === undefined ? {} : { network }),
      ...(tls === undefined ? {} : { tls }),
      // One failed load test does not fail the agent.
      onError: (error) => options.onLog?.(`Cannot go on with a load test: ${error.message}`),
    });
    void this.#listener.serve((connection) => this.#serve(connection));
  }

  /** The bound address. */
  get address(): Address {
    return this.#listener.addresses[0]!;
  }

  /** Settles when the agent is closed. */
  get finished(): Promise<void> {
    return this.#listener.finished;
  }

  /** Ends all processes, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.kill();
    await this.#listener.close();
  }

  async #serve(connection: Connection): Promise<void> {
    if (!await authenticate(connection, { isToken: this.#isToken })) return;
    const session = new Session(connection, this.#options);
    this.#sessions.add(session);
    try {
      for await (const line of connection) {
        const refusal = await session.receive(objectOf(line) as ToAgent, this.#run);
        if (refusal === undefined) continue;
        connection.send(errorLine(refusal));
        return;
      }
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      connection.send(errorLine(error instanceof SyntaxError ? `invalid message: ${message}` : message));
      if (!(error instanceof SyntaxError)) this.#options.onLog?.(`Cannot go on with a load test: ${message}`);
    } finally {
      this.#sessions.delete(session);
      await session.end();
      if (this.#sessions.size === 0) this.#options.onLog?.("Ready for the next load test");
    }
  }

  /** The load test that runs at present. */
  get #run(): string | undefined {
    return [...this.#sessions].find(({ run }) => run !== undefined)?.run;
  }
}

/** @throws {SyntaxError} If a line is not an object of JSON. */
function objectOf(line: string): object {
  const message: unknown = JSON.parse(line);
  if (typeof message === "object" && message !== null) return message;
  throw new SyntaxError("expected an object of JSON");
}

/** One connection of a load test, and its process. */
class Session {
  run: string | undefined;
  readonly #connection: Connection;
  readonly #options: AgentOptions;
  #folder: Promise<string> | undefined;
  #scenario: string | undefined;
  /** The file of the events, if the load test wants them. */
  #history: string | undefined;
  #process: ChildProcess | undefined;
  #alive: ReturnType<typeof setInterval> | undefined;

  constructor(connection: Connection, options: AgentOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Does what a message asks for. Returns why it is refused, if it is. */
  async receive(message: ToAgent, running: string | undefined): Promise<string | undefined> {
    if (message.event === "hello") {
      return this.run === undefined ? this.#hello(message, running) : "hello was said already";
    }
    if (this.run === undefined) return "expected hello";
    switch (message.event) {
      case "clock":
        // As its process will see the time, which starts later.
        this.#send({ event: "clock", now: performance.timeOrigin + performance.now() + clockStep() });
        return undefined;
      case "file":
        return await this.#file(message);
      case "start":
        // The first process would run on, unknown to anything.
        if (this.#process !== undefined) return "a process was started already";
        await this.#start(message.scenario);
        return undefined;
      case "order":
        await this.#process?.send(await this.#localized(message.line));
        return undefined;
      case "history":
        await this.#sendHistory();
        return undefined;
      case "stop":
        this.#process?.terminate(message.grace);
        return undefined;
      default:
        return "unknown message";
    }
  }

  kill(): void {
    this.#process?.kill("SIGKILL");
  }

  /** Ends the process, which nothing waits for anymore, and removes its files. */
  async end(): Promise<void> {
    clearInterval(this.#alive);
    this.kill();
    await this.#process?.ended;
    if (this.#folder !== undefined) await Deno.remove(await this.#folder, { recursive: true });
  }

  #hello(
    { protocol, version, run }: Extract<ToAgent, { event: "hello" }>,
    running: string | undefined,
  ): string | undefined {
    if (protocol !== AGENT_PROTOCOL || version !== this.#options.version) {
      return `this agent has version ${this.#options.version}, the load test ${version}`;
    }
    if (running !== undefined && running !== run) return "the agent is busy with another load test";
    if (running === undefined) {
      this.#options.onLog?.(`Running a load test from ${this.#connection.remote.hostname}`);
    }
    this.run = run;
    this.#send({ event: "hello", version: this.#options.version });
    this.#alive = setInterval(() => this.#send({ event: "alive" }), ALIVE_INTERVAL);
    return undefined;
  }

  async #file({ name, text, sha256 }: Extract<ToAgent, { event: "file" }>): Promise<string | undefined> {
    if (!isInnerName(name)) return `invalid file name ${JSON.stringify(name)}`;
    if (await sha256Of(text) !== sha256) return `the file ${name} was damaged on its way`;
    const path = `${await this.#scenarioFolder()}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
    return undefined;
  }

  #ownFolder(): Promise<string> {
    return this.#folder ??= Deno.makeTempDir({ prefix: "okline-agent-" });
  }

  /** A folder below the own one, so that no file of a scenario has the name of another file. */
  async #scenarioFolder(): Promise<string> {
    return `${await this.#ownFolder()}/scenario`;
  }

  async #start(scenario: string | undefined): Promise<void> {
    const { command, env } = this.#options;
    if (scenario !== undefined) this.#scenario = `file://${await this.#scenarioFolder()}/${scenario}`;
    const process = new ChildProcess({
      command,
      // A Ctrl-C at the terminal of the agent is the agent's.
      detached: true,
      ...(env === undefined ? {} : { env }),
      onMessage: (message) => this.#send(message),
    });
    this.#process = process;
    void process.ended.then(({ code, signal }) => {
      this.#send({ event: "end", code, signal });
    });
  }

  /** Puts local files in place of the scenario's file and of the history on the other machine. */
  async #localized(line: string): Promise<string> {
    const order = objectOf(line) as { scenario?: { file?: string | undefined }; history?: string };
    if (order.scenario !== undefined) order.scenario.file = this.#scenario;
    if (order.history !== undefined) {
      this.#history = `${await this.#ownFolder()}/history.jsonl`;
      order.history = this.#history;
    }
    return JSON.stringify(order);
  }

  /** Sends the events slice by slice, as fast as the load test takes them. */
  async #sendHistory(): Promise<void> {
    await this.#process?.ended;
    try {
      for await (const lines of this.#history === undefined ? [] : readLines(this.#history)) {
        if (!this.#send({ event: "history", lines, last: false })) await this.#connection.flushed();
      }
    } catch (error) {
      if (error instanceof ConnectionClosedError) return; // The load test is gone.
      // A process that died early has not created the file.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.#send({ event: "history", lines: [], last: true });
  }

  /** Returns `false` if the load test falls behind, or is gone. */
  #send(message: FromAgent | ChildMessage): boolean {
    const { open, writeEnded } = this.#connection;
    return open && !writeEnded && this.#connection.send(JSON.stringify(message));
  }
}
