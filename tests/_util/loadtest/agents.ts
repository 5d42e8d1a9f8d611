/** Agents of load tests on loopback, and a relay to test. */
import { delay } from "@std/async/delay";
import { ServerProcess } from "../programs/program.ts";
import { TempDir } from "../temp_dir.ts";
import { type RunningProgram, startAgent } from "./loadtest_program.ts";

/** The token of the agents. */
export const AGENT_TOKEN = "secret-of-the-agents";

/** Agents on loopback. Disposing of them ends them. */
export class Agents implements AsyncDisposable {
  readonly all: readonly { readonly program: RunningProgram; readonly address: string }[];

  private constructor(folder: TempDir, all: Agents["all"]) {
    this.#folder = folder;
    this.all = all;
  }

  static async start(count: number, ...options: readonly string[]): Promise<Agents> {
    // An agent that is killed leaves its files.
    const folder = new TempDir();
    return new Agents(
      folder,
      await Promise.all(Array.from({ length: count }, async () => {
        const listen = ["--listen", "127.0.0.1:0", "--token", AGENT_TOKEN];
        const program = startAgent(folder.path, ...listen, ...options);
        const said = await program.says("listening on ");
        return { program, address: /listening on (\S+)/.exec(said)![1]! };
      })),
    );
  }

  /** Kills one, and its processes with it. */
  async kill(index: number): Promise<void> {
    const { program } = this.all[index]!;
    this.#killed.add(program);
    program.kill("SIGKILL");
    await program.exit;
  }

  readonly #folder: TempDir;
  readonly #killed = new Set<RunningProgram>();

  /** The options of a load test that uses them. */
  get options(): string[] {
    return ["--agents", this.all.map(({ address }) => address).join(","), "--agent-token", AGENT_TOKEN];
  }

  /** Returns the names of their temporary files. */
  files(): Promise<string[]> {
    return this.#folder.names();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { program } of this.all) if (!this.#killed.has(program)) program.kill("SIGKILL");
    await Promise.all(this.all.map(({ program }) => program.outcome));
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** A relay in another process. Disposing of it ends it. */
export interface RelayUnderTest extends AsyncDisposable {
  /** Options of a load test for it. */
  readonly options: readonly string[];
  /** Waits until it has accepted this number of connections. */
  accepted(count: number): Promise<void>;
}

/** Starts a relay whose state can be asked for. */
export async function startRelay(): Promise<RelayUnderTest> {
  const server = await ServerProcess.start("relay", "--admin", "127.0.0.1:0");
  const { host, port } = await server.next("admin");
  return {
    options: ["--target", `127.0.0.1:${server.port}`, "--target-admin", `${host}:${port}`],
    async accepted(count) {
      const state = async () => await (await fetch(`http://${host}:${port}/state`)).json();
      while ((await state()).accepted < count) await delay(20);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
