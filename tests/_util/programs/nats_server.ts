/** A NATS server for tests: Debian's `nats-server`, on loopback or another address, and a free port. */
import { freePort, isInstalled } from "./installed.ts";

/** Whether `nats-server` is installed. */
export const HAS_NATS: boolean = await isInstalled("nats-server");

/** A running NATS server. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #host: string;
  readonly #process: Deno.ChildProcess;
  readonly #log: Promise<void>;

  private constructor(
    { host, port }: { host: string; port: number },
    process: Deno.ChildProcess,
    log: Promise<void>,
  ) {
    this.#host = host;
    this.port = port;
    this.#process = process;
    this.#log = log;
  }

  /**
   * Starts a server. `port` 0 picks a free port below the OS's range for clients: while the server is down, a
   * client that reconnects to a port in that range may connect to itself, and then the port is in use.
   */
  static async start(
    options: { host?: string; port?: number; args?: readonly string[] } = {},
  ): Promise<NatsServer> {
    const { host = "127.0.0.1", port = 0, args = [] } = options;
    const process = new Deno.Command("nats-server", {
      args: ["-a", host, "-p", `${port === 0 ? freePort(host) : port}`, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const ready = Promise.withResolvers<number>();
    let bound = 0;
    const log = (async () => {
      let text = "";
      for await (const chunk of process.stderr.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        bound ||= Number(/client connections on [\d.]+:(\d+)/.exec(text)?.[1] ?? 0);
        if (text.includes("Server is ready")) ready.resolve(bound);
      }
      ready.reject(new Error(`nats-server ended: ${text}`));
    })();
    return new NatsServer({ host, port: await ready.promise }, process, log);
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** The URL of the server. */
  get url(): string {
    return `nats://${this.#host}:${this.port}`;
  }

  /** Ends the server, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#log;
  }
}
