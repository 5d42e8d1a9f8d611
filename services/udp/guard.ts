/** Which datagrams a service answers. @module */
import type { Address } from "../../socket/network.ts";
import { RateLimit } from "../../socket/rate_limit.ts";
import { isLocalAddress } from "./local_address.ts";

/** What becomes of a datagram: it is answered, or ignored because of where it came from, or because there are too many. */
export type Verdict = "answer" | "own" | "limited";

/** What a {@linkcode DatagramGuard} works with. */
export interface DatagramGuardOptions {
  /** The addresses that the service is bound to. */
  readonly own: readonly Address[];
  /** Maximum number of datagrams answered per second and source address; 0 for no limit. */
  readonly rate: number;
  /** Whether an address is one of this machine. Default: asks the OS. */
  readonly isLocal?: (hostname: string) => boolean;
}

/** Sources that are remembered at once, so that forged ones cost no more than that. */
const MAX_SOURCES = 10_000;
const WILDCARDS = ["0.0.0.0", "::"];

/**
 * Keeps a service from being used against itself and others. The source of a datagram can be forged: if it is the service
 * itself, an answer is the next request, forever (CERT CA-1996-01); if it is another echo, the two keep answering each
 * other; if it is a victim, the service floods it.
 */
export class DatagramGuard {
  readonly #options: Required<DatagramGuardOptions>;
  /** The one that came first is forgotten first. */
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
