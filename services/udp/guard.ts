/** Protection against forged source addresses. @module */
import type { Address } from "../../socket/network.ts";
import { RateLimit } from "../../socket/listener/rate_limit.ts";
import { isLocalAddress } from "./local_address.ts";

/** The decision about a datagram: answer it, or ignore it because of its own source address, or because of the limit. */
export type Verdict = "answer" | "own" | "limited";

/** Options for {@linkcode DatagramGuard}. */
export interface DatagramGuardOptions {
  /** The bound addresses of the service. */
  readonly own: readonly Address[];
  /** Limit of datagrams answered per second and source address; 0 disables. */
  readonly rate: number;
  /** Whether an address belongs to this machine. Default: {@linkcode isLocalAddress}. */
  readonly isLocal?: (hostname: string) => boolean;
}

/** Limit of sources with a counter, which bounds the memory that forged ones cost. */
const MAX_SOURCES = 10_000;
const WILDCARDS = ["0.0.0.0", "::"];

/**
 * Decides which datagrams a service answers, because their source addresses can be forged. If the source is the service
 * itself, its answer is the next request, in an endless loop (CERT CA-1996-01). If it is another such service, the two answer
 * each other. If it is a third machine, the service floods it.
 */
export class DatagramGuard {
  readonly #options: Required<DatagramGuardOptions>;
  /** In order of arrival; the oldest is evicted. */
  readonly #sources = new Map<string, RateLimit>();

  constructor(options: DatagramGuardOptions) {
    this.#options = { isLocal: isLocalAddress, ...options };
  }

  /** Decides about one datagram. @param now The time in ms. */
  judge(from: Address, now: number): Verdict {
    if (this.#isOwn(from)) return "own";
    const { rate } = this.#options;
    if (rate === 0) return "answer";
    const limit = this.#sources.get(from.hostname) ?? this.#remember(from.hostname);
    return limit.tryTake(now) ? "answer" : "limited";
  }

  #isOwn(from: Address): boolean {
    const hostname = from.hostname.replace(/^::ffff:(?=\d+\.)/, "");
    return this.#options.own.some((own) =>
      own.port === from.port &&
      (own.hostname === hostname || WILDCARDS.includes(own.hostname) && this.#options.isLocal(hostname))
    );
  }

  #remember(hostname: string): RateLimit {
    if (this.#sources.size >= MAX_SOURCES) {
      for (const oldest of this.#sources.keys()) {
        this.#sources.delete(oldest);
        break;
      }
    }
    const limit = new RateLimit(this.#options.rate);
    this.#sources.set(hostname, limit);
    return limit;
  }
}
