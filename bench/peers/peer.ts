/** Builds and starts the servers and traffic programs of a benchmark, and reads their CPU time. @module */
import { delay } from "@std/async/delay";
import { TextLineStream } from "@std/streams/text-line-stream";

const PEERS = new URL("./", import.meta.url).pathname;
const TICKS_PER_SECOND = 100; // USER_HZ: the unit of CPU time in /proc, independent of the kernel's ticks.
const STARTED_WITHIN_MS = 5000;
const LOOK_MS = 10;

/** Returns those of the programs that are not installed. */
export async function missingPrograms(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map((name) => succeeds("sh", ["-c", `command -v ${name}`])));
  return names.filter((_, at) => !found[at]);
}

/** Builds a Go program of `bench/peers` into `folder`, and returns its path. */
export function buildGo(name: string, folder: string): Promise<string> {
  return build("go", ["build"], { source: `${name}.go`, path: `${folder}/${name}` });
}

/** Builds a C program of `bench/peers` into `folder`, and returns its path. */
export function buildC(name: string, folder: string): Promise<string> {
  return build("cc", ["-O2"], { source: `${name}.c`, path: `${folder}/${name}` });
}

async function build(
  compiler: string,
  args: readonly string[],
  { source, path }: { readonly source: string; readonly path: string },
): Promise<string> {
  const { success, stderr } = await new Deno.Command(compiler, {
    args: [...args, "-o", path, `${PEERS}${source}`],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot build ${source}: ${new TextDecoder().decode(stderr)}`);
  return path;
}

/** Runs a program to its end, and returns the JSON object that it prints. */
export async function resultsOf(program: string, args: readonly string[]): Promise<Record<string, number>> {
  const { success, stdout } = await new Deno.Command(program, { args: [...args], stderr: "inherit" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Options for {@linkcode Peer.start}. */
export interface PeerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The destination of its stderr. Default `inherit`. */
  readonly log?: "inherit" | "null";
}

/** A server under measurement. Disposing of it kills it. */
export class Peer implements AsyncDisposable {
  readonly port: number;
  /** The port of its admin server, if it has one. */
  readonly adminPort: number | undefined;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number, adminPort?: number) {
    this.#child = child;
    this.port = port;
    this.adminPort = adminPort;
  }

  /** Starts a server that picks a port and prints it as JSON: `{"event":"listening","port":…}`. */
  static async start(
    program: string,
    args: readonly string[],
    { env = {}, log = "inherit" }: PeerOptions = {},
  ): Promise<Peer> {
    const child = new Deno.Command(program, {
      args: [...args],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: log,
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    let adminPort: number | undefined;
    for await (const line of lines) {
      const { event, port } = JSON.parse(line);
      if (event === "admin") adminPort = Number(port);
      if (event === "listening") return new Peer(child, Number(port), adminPort);
    }
    throw new Error(`${program} ${args.join(" ")} exited before it listened`);
  }

  /** Starts a server on a given port, and waits until it accepts connections. */
  static async startAt(program: string, args: (port: number) => readonly string[]): Promise<Peer> {
    const port = freePort();
    const child = new Deno.Command(program, {
      args: [...args(port)],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const peer = new Peer(child, port);
    const until = performance.now() + STARTED_WITHIN_MS;
    while (!await accepts(port)) {
      if (performance.now() > until) throw new Error(`${program} does not listen on port ${port}`);
      await delay(LOOK_MS);
    }
    return peer;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Returns the CPU seconds used so far, including those of its children. */
  cpuSeconds(): number {
    // Any of its threads may have started a child.
    const threads = [...Deno.readDirSync(`/proc/${this.pid}/task`)].map(({ name }) => name);
    const children = threads.flatMap((thread) =>
      Deno.readTextFileSync(`/proc/${this.pid}/task/${thread}/children`).split(" ")
    );
    const pids = [String(this.pid), ...children.filter((pid) => pid !== "")];
    return pids.reduce((sum, pid) => sum + cpuTicks(pid), 0) / TICKS_PER_SECOND;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/** Returns the CPU seconds of a process and of the children it has waited for; 0 if it is gone. */
function cpuTicks(pid: string): number {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name in parentheses may contain spaces; the four times are fields 12 to 15 after it.
    const times = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15);
    return times.reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Returns the CPU seconds of a process. */
export function cpuSecondsOf(pid: number): number {
  return cpuTicks(String(pid)) / TICKS_PER_SECOND;
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" })
    .output();
  return success;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function accepts(port: number): Promise<boolean> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
