/** A peer that does what no honest one would. @module */
import { createConnection, isIP, type Socket } from "node:net";
import { connect as secure, type ConnectionOptions } from "node:tls";
import { sortConnectError } from "../../socket/connect.ts";
import type { Address } from "../../socket/network.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";

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
  /** The one that TCP is spoken on, which is the same without TLS. */
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
   * @param tls How to speak TLS. Default: not at all.
   * @throws {Error} If the connection cannot be made, or does not stand within ten seconds.
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
      // What fails on TCP is told by TLS as well, and after the first failure nobody wants to know of others.
      tcp.on("error", fail);
      if (socket !== tcp) socket.on("error", fail);
      socket.once(socket === tcp ? "connect" : "secureConnect", () => {
        tcp.setTimeout(0);
        resolve(new HostilePeer(socket, tcp));
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
    this.#tcp.resetAndDestroy();
    this.#socket.destroy();
  }

  /** Closes without a word. */
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
