/** The load test as a program, and its processes observed from outside. */
import { delay } from "@std/async/delay";

const PROGRAM = new URL("../../../loadtest.ts", import.meta.url).pathname;
const SERVER = new URL("../../../server.ts", import.meta.url).pathname;

/** A finished program. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The parsed JSON of the last line of stdout. */
  readonly summary: Readonly<Record<string, unknown>>;
}

/** A running program and its output. */
export class RunningProgram {
  readonly outcome: Promise<Outcome>;
  readonly #child: Deno.ChildProcess;
  readonly #said = { out: "", err: "" };

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", program, ...args],
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.outcome = this.#run();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves with the exit code. Child processes may still be running and printing. */
  get exit(): Promise<number> {
    return this.#child.status.then(({ code }) => code);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits until its output contains `text`. */
  async says(text: string): Promise<string> {
    await when(() => this.#said.out.includes(text) || this.#said.err.includes(text));
    return this.#said.out + this.#said.err;
  }

  async #run(): Promise<Outcome> {
    const hear = async (stream: ReadableStream<Uint8Array>, name: "out" | "err") => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#said[name] += text;
    };
    await Promise.all([hear(this.#child.stdout, "out"), hear(this.#child.stderr, "err")]);
    const { code } = await this.#child.status;
    const { out, err } = this.#said;
    const last = out.trimEnd().split("\n").at(-1) ?? "";
    return { code, out, err, summary: last.startsWith("{") ? JSON.parse(last) : {} };
  }
}

/** Starts a load test. */
export function startLoadTest(...args: readonly string[]): RunningProgram {
  return new RunningProgram(PROGRAM, args);
}

/** Starts an agent whose temporary files are in `folder`. */
export function startAgent(folder: string, ...args: readonly string[]): RunningProgram {
  return new RunningProgram(PROGRAM, ["agent", ...args], { TMPDIR: folder });
}

/** Runs a load test to its end. */
export async function loadTest(...args: readonly string[]): Promise<Outcome> {
  return await startLoadTest(...args).outcome;
}

/** Starts a server, waits until it listens, and returns it and its port. */
export async function startServer(
  ...args: readonly string[]
): Promise<{ server: RunningProgram; port: number }> {
  return await startServerOn("127.0.0.1", ...args);
}

/** Starts a server like {@linkcode startServer}, on this address. */
export async function startServerOn(
  host: string,
  ...args: readonly string[]
): Promise<{ server: RunningProgram; port: number }> {
  const server = new RunningProgram(SERVER, ["relay", "--host", host, ...args]);
  const said = await server.says("listening on ");
  return { server, port: Number(/:(\d+)\n/.exec(said)?.[1]) };
}

/** The child processes of a process, by the word that identifies each of them: `own-server`, `generator`. */
export function childrenOf(pid: number, word: string): number[] {
  const tasks = [...Deno.readDirSync(`/proc/${pid}/task`)];
  const children = tasks.flatMap(({ name }) =>
    readOr(`/proc/${pid}/task/${name}/children`).trim().split(" ")
  );
  return children.filter((child) => child !== "").map(Number)
    .filter((child) => readOr(`/proc/${child}/cmdline`).split("\0").includes(word));
}

/** Returns whether a process exists, even as a zombie. */
export function isThere(pid: number): boolean {
  return readOr(`/proc/${pid}/cmdline`) !== "";
}

/** Waits until `holds` returns `true`, for events in other processes that are not announced. */
export async function when(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(20);
}

/** Returns the text of a file, or an empty string if it does not exist. */
export function readOr(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
