/** Logins that wait for their turn: a password check costs a few tenths of a second and 64 MiB. Pure. @module */

/** A password to be checked. */
export interface LoginAttempt {
  /** The name. */
  readonly name: string;
  /** The password as typed. */
  readonly password: string;
}

/** A client that waits for its login. */
export interface LoginClient {
  /** Client's address. Addresses take turns. */
  readonly address: string;
  /** Aborts when the client has left, which takes it out of the queue. */
  readonly signal: AbortSignal;
  /** Whether the client has sent its FIN, as one that left would. Such clients come last. */
  readonly finished: () => boolean;
}

/** Result of a login: the check's, or `busy` without a check because too many wait, or `left`. */
export type LoginResult = "right" | "wrong" | "busy" | "left";

/** Limits of a {@linkcode LoginQueue}. */
export interface LoginQueueOptions {
  /** Logins that may wait in total. Default 256. */
  readonly maxQueued?: number;
  /** Logins that may wait from one address. Default 32. */
  readonly maxPerAddress?: number;
}

interface Waiting extends LoginClient {
  readonly attempt: LoginAttempt;
  settle(result: LoginResult | Promise<LoginResult>): void;
}

/**
 * Checks one password at a time. Addresses take turns, and clients that leave are removed.
 *
 * The queue is bounded. Of one address, the latest login comes first, so that a burst of guesses does not delay the honest
 * login after it. When the queue is full, the oldest login of the address with the most of them makes room.
 */
export class LoginQueue {
  readonly #check: (attempt: LoginAttempt) => Promise<boolean>;
  readonly #maxQueued: number;
  readonly #maxPerAddress: number;
  /** By address, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>();
  #queued = 0;
  #busy = false;

  constructor(check: (attempt: LoginAttempt) => Promise<boolean>, options: LoginQueueOptions = {}) {
    this.#check = check;
    this.#maxQueued = options.maxQueued ?? 256;
    this.#maxPerAddress = options.maxPerAddress ?? 32;
  }

  /** Number of logins that wait. */
  get queued(): number {
    return this.#queued;
  }

  /**
   * Waits for its turn, and checks the password.
   *
   * @throws What the check throws.
   */
  async login(attempt: LoginAttempt, client: LoginClient): Promise<LoginResult> {
    if (client.signal.aborted) return "left";
    if (!this.#makeRoom(client)) return "busy";
    const { promise, resolve } = Promise.withResolvers<LoginResult>();
    const waiting: Waiting = { ...client, attempt, settle: resolve };
    const left = () => {
      if (this.#remove(waiting)) resolve("left");
    };
    client.signal.addEventListener("abort", left, { once: true });
    this.#add(waiting);
    void this.#checkNext();
    try {
      return await promise;
    } finally {
      client.signal.removeEventListener("abort", left);
    }
  }

  /** Whether there is room for one more, if necessary in place of another. */
  #makeRoom({ address }: LoginClient): boolean {
    const own = this.#waiting.get(address) ?? [];
    let crowded = own;
    if (own.length < this.#maxPerAddress) {
      if (this.#queued < this.#maxQueued) return true;
      for (const other of this.#waiting.values()) {
        if (other.length > Math.max(crowded.length, own.length + 1)) crowded = other;
      }
    }
    // One that has probably left goes first.
    const replaced = crowded.find((waiting) => waiting.finished()) ?? crowded[0];
    if (replaced === undefined) return false;
    this.#remove(replaced);
    replaced.settle("busy");
    return true;
  }

  #add(waiting: Waiting): void {
    const own = this.#waiting.get(waiting.address);
    if (own) own.push(waiting);
    else this.#waiting.set(waiting.address, [waiting]);
    this.#queued++;
  }

  #remove(waiting: Waiting): boolean {
    const own = this.#waiting.get(waiting.address);
    const index = own?.indexOf(waiting) ?? -1;
    if (own === undefined || index < 0) return false;
    own.splice(index, 1);
    this.#waiting.delete(waiting.address);
    // The address goes to the end of the line.
    if (own.length > 0) this.#waiting.set(waiting.address, own);
    this.#queued--;
    return true;
  }

  #next(): Waiting | undefined {
    let finished: Waiting | undefined;
    for (const own of this.#waiting.values()) {
      const live = own.findLast((waiting) => !waiting.finished());
      if (live !== undefined) return live;
      finished ??= own.at(-1);
    }
    return finished;
  }

  async #checkNext(): Promise<void> {
    if (this.#busy) return;
    const next = this.#next();
    if (next === undefined) return;
    this.#busy = true;
    this.#remove(next);
    const result = this.#check(next.attempt).then((right): LoginResult => right ? "right" : "wrong");
    next.settle(result);
    await result.catch(() => {}); // The login rejects with it.
    this.#busy = false;
    void this.#checkNext();
  }
}
