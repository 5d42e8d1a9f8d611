/** A peer that does what no honest one would. @module */
import { createConnection, type Socket } from "node:net";
import { sortConnectError } from "../../socket/connect.ts";
import type { Address } from "../../socket/network.ts";

/** How the server, or this peer, ended the connection. */
export type HostileEnd = "fin" | "reset" | "closed";

// Answers are looked at, not kept: a server that floods this peer must not fill its memory.
const KEPT = 256 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A socket of `node:net`, which can be reset for real, half-closed, and not read from. It never throws for what the
 * server does: that is told by `ended`.
 */
export class HostilePeer {
  /** Settles when the server has finished or reset the connection, or this side has closed it. */
  readonly ended: Promise<HostileEnd>;
  readonly #socket: Socket;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #heard = new Set<() => void>();
  #text = "";
  #bytes = 0;
  #end: HostileEnd | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      const end = (how: HostileEnd) => {
        this.#end ??= how;
        resolve(this.#end);
        for (const heard of this.#heard) heard();
      };
      socket.on("end", () => end("fin"));
      socket.on("error", () => end("reset"));
      socket.on("close", () => end("closed"));
    });
    socket.on("data", (bytes: Uint8Array) => {
      this.#bytes += bytes.length;
      if (this.#text.length < KEPT) this.#text += this.#decoder.decode(bytes, { stream: true });
      for (const heard of this.#heard) heard();
    });
  }

  /** @throws {Error} If the connection cannot be made, or does not stand within ten seconds. */
  static connect({ hostname, port }: Address): Promise<HostilePeer> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: hostname, port, noDelay: true, allowHalfOpen: true });
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error("timeout")));
      const fail = (cause: Error) => {
        const code = sortConnectError(cause);
        reject(new Error(`Cannot connect: ${code === "other" ? cause.message : code}`, { cause }));
      };
      socket.once("error", fail);
      socket.once("connect", () => {
        socket.setTimeout(0);
        socket.off("error", fail);
        resolve(new HostilePeer(socket));
      });
    });
  }

  /** What the server has sent, the first 256 KiB of it. */
  get text(): string {
    return this.#text;
  }

  /** Bytes that the server has sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How it ended, where it has. */
  get end(): HostileEnd | undefined {
    return this.#end;
  }

  /**
   * Writes, and waits until the system has taken it.
   *
   * @param options.within Longest wait in ms. Default unlimited.
   * @returns `false` when the connection has ended before, or the wait was too long.
   */
  write(bytes: Uint8Array | string, options: { within?: number } = {}): Promise<boolean> {
    if (this.#end !== undefined && this.#end !== "fin") return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (written: boolean) => {
        clearTimeout(timer);
        this.#socket.off("close", ended);
        resolve(written);
      };
      const ended = () => done(false);
      const timer = options.within === undefined ? undefined : setTimeout(ended, options.within);
      this.#socket.once("close", ended);
      this.#socket.write(bytes, (error) => done(!error));
    });
  }

  /** Waits until `holds`, the connection has ended, or `ms` have passed; gives whether it holds. */
  async until(holds: () => boolean, ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (holds() || this.#end !== undefined) resolve();
    };
    const timer = setTimeout(resolve, ms);
    this.#heard.add(look);
    look();
    await promise;
    clearTimeout(timer);
    this.#heard.delete(look);
    return holds();
  }

  /** Reads nothing until {@linkcode HostilePeer.resume}: the server's window fills. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Half-closes: FIN; reading goes on. */
  finish(): void {
    this.#socket.end();
  }

  /** RST, whatever is under way. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Closes without a word. */
  close(): void {
    this.#socket.destroy();
  }
}
