/** Backends, their health and limits, and the queue of clients. Pure. @module */
import { type Address, formatAddress } from "../../socket/network.ts";
import type { Candidate, Policy } from "./policy.ts";

/** Options for {@linkcode BackendPool}. */
export interface BackendPoolOptions {
  readonly policy: Policy;
  /** Successful checks in a row after which a dead backend is healthy again. Default 2. */
  readonly rise?: number;
  /** Failed checks in a row after which a backend is dead. Default 3. */
  readonly fall?: number;
  /** Most connections per backend. 0 disables. Default 0. */
  readonly maxPerBackend?: number;
  /** Most clients in the queue. Default 1024. */
  readonly maxQueue?: number;
}

/** A backend, with the number of its connections. */
export interface Backend extends Candidate {
  readonly address: Address;
}

/** A client's request for a backend. */
export interface Demand {
  /** The client's address, for the policy `source`. */
  readonly source: string;
  /** Backends that just failed for this client. They are chosen only if there is no other. */
  readonly avoid: ReadonlySet<Backend>;
  /** Called once, possibly before `demand` returns. The caller must call `release` later. */
  grant(backend: Backend): void;
}

/** Metrics of one backend. */
export interface BackendStats {
  /** Its address, such as `127.0.0.1:8000`. */
  readonly name: string;
  /** Whether it gets new connections, unless it is draining. */
  readonly healthy: boolean;
  /** Whether it gets no new connections because it is being drained. */
  readonly draining: boolean;
  /** Open connections. */
  readonly open: number;
  /** Connections granted so far. */
  readonly total: number;
  /** Failed checks and connects so far. */
  readonly failures: number;
}

/** Metrics of a pool. */
export interface BackendPoolStats {
  /** The backends, in the order of the configuration. */
  readonly backends: readonly BackendStats[];
  /** Clients in the queue. */
  readonly queued: number;
  /** Clients refused so far because the queue was full. */
  readonly refused: number;
}

class PooledBackend implements Backend {
  readonly index: number;
  readonly address: Address;
  readonly name: string;
  open = 0;
  total = 0;
  failures = 0;
  healthy = true;
  draining = false;
  /** Number of the last checks in a row that contradict `healthy`. */
  contrary = 0;

  constructor(address: Address, index: number) {
    this.index = index;
    this.address = address;
    this.name = formatAddress(address);
  }

  stats(): BackendStats {
    const { name, healthy, draining, open, total, failures } = this;
    return { name, healthy, draining, open, total, failures };
  }
}

/** Grants backends by a policy: those that are healthy, not draining, and not full. Otherwise, clients are queued. */
export class BackendPool {
  readonly #backends: readonly PooledBackend[];
  readonly #policy: Policy;
  readonly #rise: number;
  readonly #fall: number;
  readonly #maxPerBackend: number;
  readonly #maxQueue: number;
  readonly #queue = new Set<Demand>();
  #refused = 0;

  /** @throws {TypeError} If there is no address, or one is given twice. */
  constructor(addresses: readonly Address[], options: BackendPoolOptions) {
    if (addresses.length === 0) throw new TypeError("Cannot balance: no backend, expected at least one");
    this.#backends = addresses.map((address, index) => new PooledBackend(address, index));
    const names = new Set<string>();
    for (const { name } of this.#backends) {
      if (names.has(name)) throw new TypeError(`Cannot balance: backend ${name} is given twice`);
      names.add(name);
    }
    this.#policy = options.policy;
    this.#rise = options.rise ?? 2;
    this.#fall = options.fall ?? 3;
    this.#maxPerBackend = options.maxPerBackend ?? 0;
    this.#maxQueue = options.maxQueue ?? 1024;
  }

  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Requests a backend. It is granted now or later, or refused because the queue is full. */
  demand(demand: Demand): "granted" | "queued" | "refused" {
    const backend = this.#choose(demand);
    if (backend) {
      this.#grant(demand, backend);
      return "granted";
    }
    if (this.#queue.size >= this.#maxQueue) {
      this.#refused++;
      return "refused";
    }
    this.#queue.add(demand);
    return "queued";
  }

  /** Removes a demand from the queue. Does nothing if it was granted. */
  cancel(demand: Demand): void {
    this.#queue.delete(demand);
  }

  /** Records that a granted connection has ended or could not be opened. */
  release(backend: Backend): void {
    this.#find(backend.name).open--;
    this.#serveQueue();
  }

  /** Records the result of a health check or a connect. Returns whether the health of the backend has changed. */
  report(backend: Backend, ok: boolean): boolean {
    const pooled = this.#find(backend.name);
    if (!ok) pooled.failures++;
    if (ok === pooled.healthy) {
      pooled.contrary = 0;
      return false;
    }
    if (++pooled.contrary < (ok ? this.#rise : this.#fall)) return false;
    pooled.healthy = ok;
    pooled.contrary = 0;
    this.#serveQueue();
    return true;
  }

  /** Grants a backend no more connections. Its open ones go on. @throws {RangeError} If no backend has this name. */
  drain(name: string): void {
    this.#find(name).draining = true;
  }

  /** Reverts {@linkcode drain}. @throws {RangeError} If no backend has this name. */
  restore(name: string): void {
    this.#find(name).draining = false;
    this.#serveQueue();
  }

  stats(): BackendPoolStats {
    return {
      backends: this.#backends.map((backend) => backend.stats()),
      queued: this.#queue.size,
      refused: this.#refused,
    };
  }

  #find(name: string): PooledBackend {
    const found = this.#backends.find((backend) => backend.name === name);
    if (!found) {
      const names = this.#backends.map((backend) => backend.name).join(", ");
      throw new RangeError(`Cannot find backend ${name}: expected one of ${names}`);
    }
    return found;
  }

  #choose(demand: Demand): PooledBackend | undefined {
    const able = this.#backends.filter((backend) =>
      backend.healthy && !backend.draining &&
      (this.#maxPerBackend === 0 || backend.open < this.#maxPerBackend)
    );
    const untried = able.filter((backend) => !demand.avoid.has(backend));
    const candidates = untried.length > 0 ? untried : able;
    return candidates.length > 0 ? this.#policy(candidates, demand.source) : undefined;
  }

  #grant(demand: Demand, backend: PooledBackend): void {
    backend.open++;
    backend.total++;
    demand.grant(backend);
  }

  #serveQueue(): void {
    for (const demand of this.#queue) {
      const backend = this.#choose(demand);
      // No other demand can be granted either: each accepts every backend if there is no other.
      if (!backend) return;
      this.#queue.delete(demand);
      this.#grant(demand, backend);
    }
  }
}
