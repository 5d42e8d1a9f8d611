/** The tools of a torture case. @module */
import type { Address } from "../../socket/network.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";
import { HostilePeer } from "./hostile_peer.ts";

/** The target, and the scale of the cases. */
export interface TortureRigOptions {
  readonly target: Address;
  /** TLS options of the peers. Default: no TLS. */
  readonly tls?: TlsClientOptions;
  /** The request of an honest peer, which must be answered. Default: a meaningless line. */
  readonly probe?: string;
  /** Number of bytes that the server sends before any request. They do not count as an answer. Default: 0. */
  readonly greeting?: number;
  /** The longest line in bytes that the server must accept. Default: 64 KiB. */
  readonly maxLine?: number;
  /** Factor for all counts and volumes. Default: 1. */
  readonly scale?: number;
  /** Longest time in ms for an answer. Default: 5,000. */
  readonly patience?: number;
}

/** The result of one case. */
export interface Observation {
  /** A short description for display. */
  readonly saw: string;
  /** The fault of the server, if any. */
  readonly fault?: string;
  /** Why the case cannot be judged, if so. */
  readonly unjudged?: string;
}

/** One hostile behavior. */
export interface TortureCase {
  readonly name: string;
  run(rig: TortureRig): Promise<Observation>;
}

/** The default request of an honest peer. */
export const PROBE = "okline torture probe\r\n";

/** Connections that one process opens in parallel: more would only fill the kernel's queue. */
const CONCURRENT = 200;

/** Creates peers, and closes those that a case leaves open. */
export class TortureRig implements Disposable {
  readonly maxLine: number;
  readonly patience: number;
  readonly greeting: number;
  readonly #target: Address;
  readonly #tls: TlsClientOptions | undefined;
  readonly #probe: string;
  readonly #scale: number;
  readonly #peers = new Set<HostilePeer>();
  readonly #pauses = new Map<ReturnType<typeof setTimeout>, () => void>();
  #over = false;

  constructor(options: TortureRigOptions) {
    this.#target = options.target;
    this.#tls = options.tls;
    this.#probe = options.probe ?? PROBE;
    this.greeting = options.greeting ?? 0;
    this.maxLine = options.maxLine ?? 64 * 1024;
    this.#scale = options.scale ?? 1;
    this.patience = options.patience ?? 5000;
  }

  /** Whether peers use TLS, which reads ahead. */
  get isTls(): boolean {
    return this.#tls !== undefined;
  }

  /** Scales a count or a volume; at least 1. */
  scaled(full: number): number {
    return Math.max(1, Math.round(full * this.#scale));
  }

  /** @throws {Error} If the connection cannot be made, or the case is over. */
  connect(): Promise<HostilePeer> {
    return this.#connect(this.#tls);
  }

  /** Connects like {@linkcode TortureRig.connect}, but without TLS. */
  connectPlain(): Promise<HostilePeer> {
    return this.#connect(undefined);
  }

  async #connect(tls: TlsClientOptions | undefined): Promise<HostilePeer> {
    if (this.#over) throw new Error("Cannot connect: the case is over");
    const peer = await HostilePeer.connect(this.#target, tls);
    if (this.#over) peer.close();
    this.#peers.add(peer);
    peer.ended.then(() => this.#peers.delete(peer));
    return peer;
  }

  /** Runs a function `count` times, a few hundred in parallel. */
  async crowd(count: number, each: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < count && !this.#over) await each(next++);
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENT, count) }, worker));
  }

  /** Waits for `ms`, or until the case is over. */
  pause(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pauses.delete(timer);
        resolve();
      }, ms);
      this.#pauses.set(timer, resolve);
    });
  }

  /**
   * Checks that the server serves an honest peer: it must answer the probe in any way.
   *
   * @returns The time in ms until the answer, or what was wrong.
   */
  async probe(): Promise<number | string> {
    const start = performance.now();
    try {
      const peer = await this.connect();
      await peer.write(this.#probe, { within: this.patience });
      const answered = await peer.until(() => peer.bytes > this.greeting, this.patience);
      const { end } = peer;
      peer.close();
      if (answered) return performance.now() - start;
      if (end === "fin") return "finishes the connection of an honest peer without an answer";
      return end === undefined ? `no answer within ${this.patience} ms` : "resets an honest peer";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Ends the case: closes every open peer, and ends every pause. */
  [Symbol.dispose](): void {
    this.#over = true;
    for (const [timer, resolve] of this.#pauses) {
      clearTimeout(timer);
      resolve();
    }
    this.#pauses.clear();
    for (const peer of this.#peers) peer.close();
  }
}

/** Describes how a peer ended, such as `"finished by the server"`, for {@linkcode Observation.saw}. */
export function describePeer(peer: HostilePeer): string {
  const answer = peer.text.split("\n", 1)[0]!.trim().slice(0, 60);
  const how = { fin: "finished by the server", reset: "reset by the server", closed: "closed" };
  return `${peer.end === undefined ? "still open" : how[peer.end]}${
    answer === "" ? "" : `, answer: ${answer}`
  }`;
}
