/** The executables as users run them: separate processes that communicate with other processes. */
import { delay } from "@std/async/delay";
import { TextLineStream } from "@std/streams/text-line-stream";

const ROOT = new URL("../../../", import.meta.url);

/** The exit code and the output of a process. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Input of a process. */
export interface Input {
  /** All of its stdin. Default: none. */
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Longest wait in ms for output of a program. Only a failing test, or a stalled machine, waits for this long. */
const PATIENCE = 60_000;
/** Time in ms between two looks at the state of a program, so that the program gets the processor. */
const LOOK_INTERVAL = 10;

const ENVIRONMENT = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

/** Runs a program to its end. @throws {Deno.errors.NotFound} If it is not installed: `.ci/run` knows its package. */
export async function run(command: readonly [string, ...string[]], input: Input = {}): Promise<Outcome> {
  const { stdin, cwd, env } = input;
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...ENVIRONMENT, ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  if (stdin !== undefined) await new Blob([stdin]).stream().pipeTo(child.stdin).catch(ignoreBrokenPipe);
  const { code, stdout, stderr } = await output;
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** Runs `client.ts` to its end. */
export async function runClient(args: readonly string[], input: Input = {}): Promise<Outcome> {
  return await run(denoRun("client.ts", args), input);
}

/** Runs a `server.ts` that must end by itself. */
export async function runServer(args: readonly string[], input: Input = {}): Promise<Outcome> {
  return await run(denoRun("server.ts", args), input);
}

/** Returns the command `deno run -A` with one of the executables. */
export function denoRun(program: string, args: readonly string[]): [string, ...string[]] {
  return [Deno.execPath(), "run", "-A", "--quiet", new URL(program, ROOT).pathname, ...args];
}

/** One line of a server's JSON output. */
export interface ServerEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** A listening `server.ts` with a service, by default on a free port. Disposing of it ends it. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: Lines;

  private constructor(process: Lines, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** Starts a server, and waits until it listens. */
  static async start(service: string, ...options: readonly string[]): Promise<ServerProcess> {
    return await ServerProcess.startAnywhere(service, "--host", "127.0.0.1", ...options);
  }

  /** Starts a server like {@linkcode ServerProcess.start}, on its default addresses. */
  static async startAnywhere(service: string, ...options: readonly string[]): Promise<ServerProcess> {
    return await ServerProcess.#run(serverCommand(service, options));
  }

  /** Starts a server like {@linkcode ServerProcess.start}, with a limit of descriptors. Not on Windows. */
  static async startWithin(
    descriptors: number,
    service: string,
    ...options: readonly string[]
  ): Promise<ServerProcess> {
    const command = serverCommand(service, ["--host", "127.0.0.1", ...options]);
    return await ServerProcess.#run([
      "sh",
      "-c",
      'ulimit -n "$0" && exec "$@"',
      `${descriptors}`,
      ...command,
    ]);
  }

  /** Starts a server like {@linkcode ServerProcess.start}, through a bash script that ends in `exec "$@"`. Not on Windows. */
  static async startBy(
    script: string,
    service: string,
    ...options: readonly string[]
  ): Promise<ServerProcess> {
    const command = serverCommand(service, ["--host", "127.0.0.1", ...options]);
    return await ServerProcess.#run(["bash", "-c", script, "bash", ...command]);
  }

  static async #run(command: readonly [string, ...string[]]): Promise<ServerProcess> {
    const process = new Lines(command);
    const { port } = await process.next("listening");
    return new ServerProcess(process, Number(port));
  }

  get pid(): number {
    return this.#process.child.pid;
  }

  /** Returns its current state from the control channel. */
  async state(): Promise<ServerEvent> {
    await this.say("state");
    return await this.#process.next("state");
  }

  /** Reads its state until `holds` returns `true`. */
  async until(holds: (state: ServerEvent) => boolean): Promise<ServerEvent> {
    for (;;) {
      const state = await this.state();
      if (holds(state)) return state;
      await delay(LOOK_INTERVAL);
    }
  }

  /** Writes a line to its stdin. */
  async say(line: string): Promise<void> {
    await this.#process.stdin.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Returns its next output of this kind. */
  next(event: string): Promise<ServerEvent> {
    return this.#process.next(event);
  }

  /** Waits until stderr contains `text`. */
  remarked(text: string): Promise<void> {
    return this.#process.remarked(text);
  }

  signal(signal: Deno.Signal): void {
    this.#process.child.kill(signal);
  }

  /** Waits until it has ended. */
  ended(): Promise<Outcome> {
    return this.#process.ended;
  }

  /** Shuts it down cleanly. */
  async stop(): Promise<Outcome> {
    this.signal("SIGTERM");
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill();
  }
}

function serverCommand(service: string, options: readonly string[]): [string, ...string[]] {
  const port = options.includes("--port") ? [] : ["--port", "0"];
  return denoRun("server.ts", [service, ...port, "--json", "--control", ...options]);
}

/** A process that prints lines of JSON on stdout, and text on stderr. */
class Lines {
  readonly child: Deno.ChildProcess;
  readonly stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly ended: Promise<Outcome>;
  readonly #events: ServerEvent[] = [];
  #err = "";
  #over = false;
  #changed = Promise.withResolvers<void>();

  constructor([program, ...args]: readonly [string, ...string[]]) {
    this.child = new Deno.Command(program, {
      args,
      env: ENVIRONMENT,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.stdin = this.child.stdin.getWriter();
    this.ended = this.#watch();
  }

  next(kind: string): Promise<ServerEvent> {
    return this.#wait(`said ${kind}`, () => {
      const index = this.#events.findIndex(({ event }) => event === kind);
      return index < 0 ? undefined : this.#events.splice(index, 1)[0];
    });
  }

  async remarked(text: string): Promise<void> {
    await this.#wait(`remarked ${text}`, () => this.#err.includes(text) ? text : undefined);
  }

  /** Waits until `look` returns a result. If it never does, the test fails with the actual output. */
  async #wait<Found>(what: string, look: () => Found | undefined): Promise<Found> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#change();
    }, PATIENCE);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#over) throw new Error(`The process ended before it ${what}: ${this.#err}`);
        if (late) throw new Error(`The process has not ${what} within ${PATIENCE} ms, but: ${this.#err}`);
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async kill(): Promise<void> {
    if (!this.#over) this.child.kill("SIGKILL");
    await this.ended;
    await this.stdin.close().catch(ignoreBrokenPipe);
  }

  async #watch(): Promise<Outcome> {
    let out = "";
    const hear = async (): Promise<void> => {
      const lines = this.child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
      for await (const line of lines) {
        out += `${line}\n`;
        this.#events.push(JSON.parse(line));
        this.#change();
      }
    };
    const note = async (): Promise<void> => {
      for await (const text of this.child.stderr.pipeThrough(new TextDecoderStream())) {
        this.#err += text;
        this.#change();
      }
    };
    await Promise.all([hear(), note()]);
    const { code } = await this.child.status;
    this.#over = true;
    this.#change();
    return { code, out, err: this.#err };
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

// The process did not read its last input, which its result explains.
function ignoreBrokenPipe(error: unknown): void {
  if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
}
