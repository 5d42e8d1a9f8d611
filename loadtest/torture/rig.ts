/** What a case of the torture suite works with. @module */
import type { Address } from "../../socket/network.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";
import { HostilePeer } from "./hostile_peer.ts";

/** What to torture, and how hard. */
export interface TortureRigOptions {
  readonly target: Address;
  /** How to speak TLS with it. Default: not at all. */
  readonly tls?: TlsClientOptions;
  /** What an honest peer says, for which it is to get an answer. Default: a line that makes no sense to anybody. */
  readonly probe?: string;
  /** How many bytes the server says of its own accord: they are no answer. Default 0. */
  readonly greeting?: number;
  /** The longest line in bytes that the server is to take. Default 64 KiB. */
  readonly maxLine?: number;
  /** All counts and volumes times this. Default 1. */
  readonly scale?: number;
  /** Longest time in ms for an answer. Default 5000. */
  readonly patience?: number;
}

/** What one case did to the server and what came of it. */
export interface Observation {
  /** For people, in a few words. */
  readonly saw: string;
  /** What was wrong with that, where something was. */
  readonly fault?: string;
  /** Why nothing can be said about it, where that is so. */
  readonly unjudged?: string;
}

/** One way to be hostile. */
export interface TortureCase {
  readonly name: string;
  run(bench: TortureRig): Promise<Observation>;
}

/** What an honest peer says. */
export const PROBE = "okline torture probe\r\n";

/** Connections that one process asks for at a time: more would only wait in the kernel's queue. */
const CONCURRENT = 200;

/** Makes peers, and closes what a case leaves open. */
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

  /** Whether peers speak TLS, which reads ahead of what is asked for. */
  get isTls(): boolean {
    return this.#tls !== undefined;
  }

  /** A count or a volume of this run: at least 1. */
  scaled(full: number): number {
    return Math.max(1, Math.round(full * this.#scale));
  }

  /** @throws {Error} If the connection cannot be made, or the case is over. */
  connect(): Promise<HostilePeer> {
    return this.#connect(this.#tls);
  }

  /** As {@linkcode TortureRig.connect}, without TLS whatever the server speaks. */
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

  /** Does something `count` times, a few hundred at a time. */
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
   * Whether the server serves somebody honest: it answers the probe, whatever it answers.
   *
   * @returns The time in ms it took, or what was wrong.
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

  /** The case is over: closes every peer that is left, and ends every pause. */
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

/** `"closed by FIN"`, for {@linkcode Observation.saw}. */
export function describePeer(peer: HostilePeer): string {
  const answer = peer.text.split("\n", 1)[0]!.trim().slice(0, 60);
  const how = { fin: "finished by the server", reset: "reset by the server", closed: "closed" };
  return `${peer.end === undefined ? "still open" : how[peer.end]}${
    answer === "" ? "" : `, told: ${answer}`
  }`;
}
