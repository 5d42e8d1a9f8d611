/** A peer that misbehaves. @module */
import { createConnection, isIP, type Socket } from "node:net";
import { connect as secure, type ConnectionOptions } from "node:tls";
import { sortConnectError } from "../../socket/connect.ts";
import type { Address } from "../../socket/network.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";

/** The way in which the server, or this peer, ended the connection. */
export type HostileEnd = "fin" | "reset" | "closed";

// Most answers are not kept: a server that floods this peer must not fill its memory.
const KEPT = 256 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A `node:net` socket, which can be reset, half-closed, and left unread. It does not throw because of the server:
 * `ended` reports the end.
 */
export class HostilePeer {
  /** Settles when the server has finished or reset the connection, or this side has closed it. */
  readonly ended: Promise<HostileEnd>;
  readonly #socket: Socket;
  /** The TCP socket, which is the same object without TLS. */
  readonly #tcp: Socket;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #heard = new Set<() => void>();
  #text = "";
  #bytes = 0;
  #end: HostileEnd | undefined;

  private constructor(socket: Socket, tcp: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
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

  /**
   * Connects.
   *
   * @param tls TLS options. Default: no TLS.
   * @throws {Error} If the connection cannot be made within ten seconds.
   */
  static connect({ hostname, port }: Address, tls?: TlsClientOptions): Promise<HostilePeer> {
    return new Promise((resolve, reject) => {
      const tcp = createConnection({ host: hostname, port, noDelay: true, allowHalfOpen: true });
      tcp.setTimeout(CONNECT_TIMEOUT_MS, () => tcp.destroy(new Error("timeout")));
      const socket = tls === undefined ? tcp : secure(secureOptions(tcp, hostname, tls));
      const fail = (cause: Error) => {
        tcp.destroy();
        reject(new Error(`Cannot connect: ${whyNot(cause)}`, { cause }));
      };
      // TLS reports TCP errors as well. Only the first error counts.
      tcp.on("error", fail);
      if (socket !== tcp) socket.on("error", fail);
      socket.once(socket === tcp ? "connect" : "secureConnect", () => {
        tcp.setTimeout(0);
        resolve(new HostilePeer(socket, tcp));
      });
    });
  }

  /** The first 256 KiB that the server has sent. */
  get text(): string {
    return this.#text;
  }

  /** Number of bytes that the server has sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The end of the connection, or `undefined` while it is open. */
  get end(): HostileEnd | undefined {
    return this.#end;
  }

  /**
   * Writes, and waits until the OS has taken everything.
   *
   * @param options.within Longest wait in ms. Default: no limit.
   * @returns `false` if the connection ended first, or the wait was too long.
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

  /** Waits until `holds` returns `true`, the connection has ended, or `ms` have passed. Returns whether it holds. */
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

  /** Stops reading until {@linkcode HostilePeer.resume}, so that the server's window fills. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Half-closes with a FIN, and keeps reading. */
  finish(): void {
    this.#socket.end();
  }

  /** Resets the connection, whatever is pending. */
  reset(): void {
    this.#tcp.resetAndDestroy();
    this.#socket.destroy();
  }

  /** Closes without sending anything. */
  close(): void {
    this.#socket.destroy();
  }
}

function whyNot(cause: Error): string {
  if (Reflect.get(cause, "code") === "ERR_SSL_WRONG_VERSION_NUMBER") return "it speaks plain text, not TLS";
  const code = sortConnectError(cause);
  return code === "other" ? cause.message : code;
}

function secureOptions(socket: Socket, hostname: string, tls: TlsClientOptions): ConnectionOptions {
  const { ca, identity, alpn, minVersion = "TLSv1.2", serverName = hostname } = tls;
  return {
    socket,
    host: serverName,
    minVersion,
    ...(isIP(serverName) !== 0 ? {} : { servername: serverName }),
    ...(ca === undefined ? {} : { ca }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
  };
}
