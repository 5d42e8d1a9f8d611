/** Notifies the service manager, such as systemd, when the server is ready and when it stops: sd_notify(3). @module */
import { type Environment, processEnvironment } from "../args/environment.ts";

/** The variables of the protocol, which a child process must not inherit: it would speak for its parent. */
export const NOTIFY_ENV: Readonly<Record<string, string>> = { NOTIFY_SOCKET: "", WATCHDOG_USEC: "" };

/** Microseconds in a millisecond. */
const USEC = 1000;

/** Options for {@linkcode ServiceManager}. */
export interface ServiceManagerOptions {
  /** Default: that of this process. */
  readonly environment?: Environment;
  /** Called if a message cannot be sent. The server is unaffected. */
  readonly onError: (error: Error) => void;
}

/** The service manager that started this process, if it expects notifications. */
export class ServiceManager implements Disposable {
  readonly #onError: (error: Error) => void;
  readonly #path: string | undefined;
  readonly #watchdog: number | undefined;
  #socket: Deno.DatagramConn | undefined;
  #pings: ReturnType<typeof setInterval> | undefined;

  constructor({ environment = processEnvironment, onError }: ServiceManagerOptions) {
    this.#onError = onError;
    // A name that begins with @ has no file.
    this.#path = environment("NOTIFY_SOCKET")?.replace(/^@/, "\0") || undefined;
    const pid = environment("WATCHDOG_PID") ?? `${Deno.pid}`;
    const usec = Number(environment("WATCHDOG_USEC") ?? 0);
    this.#watchdog = pid === `${Deno.pid}` && usec > 0 ? usec / USEC : undefined;
  }

  /** Reports that the server is ready, and from then on, twice within the watchdog's time, that it is alive. */
  async ready(): Promise<void> {
    await this.#notify("READY=1");
    if (this.#watchdog === undefined || this.#path === undefined) return;
    this.#pings = setInterval(() => void this.#notify("WATCHDOG=1"), this.#watchdog / 2);
  }

  /** Reports that the server drains. */
  async stopping(): Promise<void> {
    await this.#notify("STOPPING=1");
  }

  /** Sends no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#pings);
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #notify(state: string): Promise<void> {
    if (this.#path === undefined) return;
    try {
      // Deno sends datagrams only from a socket with a name; this one is without a file.
      this.#socket ??= Deno.listenDatagram({ transport: "unixpacket", path: `\0okline-${Deno.pid}` });
      await this.#socket.send(new TextEncoder().encode(state), { transport: "unixpacket", path: this.#path });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#onError(new Error(`Cannot notify the service manager: ${why}`, { cause }));
    }
  }
}
