/** Backends, who may take a connection, and the clients that wait for one. Pure. @module */
import { type Address, formatAddress } from "../../socket/network.ts";
import type { Candidate, Policy } from "./policy.ts";

/** What a {@linkcode BackendPool} is made of. */
export interface BackendPoolOptions {
  readonly policy: Policy;
  /** Successful checks in a row that make a dead backend live. Default 2. */
  readonly rise?: number;
  /** Failed checks in a row that make a live backend dead. Default 3. */
  readonly fall?: number;
  /** Connections a backend may have; 0 for no limit. Default 0. */
  readonly maxPerBackend?: number;
  /** Clients that may wait while no backend can take one. Default 1024. */
  readonly maxQueue?: number;
}

/** One backend; connections to it are counted here. */
export interface Backend extends Candidate {
  readonly address: Address;
}

/** Somebody who wants a backend. */
export interface Demand {
  /** The client's address, for the policy that goes by it. */
  readonly source: string;
  /** Backends that failed this client just now: taken only where there is no other. */
  readonly avoid: ReadonlySet<Backend>;
  /** Called once, perhaps before `demand` returns; `release` has to follow. */
  grant(backend: Backend): void;
}

/** What a pool counts about one backend. */
export interface BackendStats {
  readonly name: string;
  readonly healthy: boolean;
  readonly draining: boolean;
  readonly open: number;
  /** Connections it was given so far. */
  readonly total: number;
  /** Failed checks and connects so far. */
  readonly failures: number;
}

/** What a pool counts. */
export interface BackendPoolStats {
  readonly backends: readonly BackendStats[];
  /** Clients that wait now. */
  readonly queued: number;
  /** Clients turned away so far, since too many waited. */
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
  /** Checks in a row whose result speaks against `healthy`. */
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

/** Hands out backends: the live ones that are not drained nor full, by a policy; clients wait in line for one. */
export class BackendPool {
  readonly #backends: readonly PooledBackend[];
  readonly #policy: Policy;
  readonly #rise: number;
  readonly #fall: number;
  readonly #maxPerBackend: number;
  readonly #maxQueue: number;
  readonly #queue = new Set<Demand>();
  #refused = 0;

  /** @throws {TypeError} Without addresses, or with one given twice. */
  constructor(addresses: readonly Address[], options: BackendPoolOptions) {
    if (addresses.length === 0) throw new TypeError("Cannot balance without a backend");
    this.#backends = addresses.map((address, index) => new PooledBackend(address, index));
    const names = new Set<string>();
    for (const { name } of this.#backends) {
      if (names.has(name)) throw new TypeError(`Cannot balance over a backend given twice: ${name}`);
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

  /** Asks for a backend: granted now, granted later, or refused as too many wait already. */
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

  /** Takes a demand out of the queue; does nothing once it was granted. */
  cancel(demand: Demand): void {
    this.#queue.delete(demand);
  }

  /** A connection to `backend` has ended, or never came about. */
  release(backend: Backend): void {
    this.#find(backend.name).open--;
    this.#serveQueue();
  }

  /** The result of a health check or a connect. Gives whether it brought the backend to life or declared it dead. */
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

  /** Gives a backend no more connections; those it has go on. @throws {RangeError} If there is none of that name. */
  drain(name: string): void {
    this.#find(name).draining = true;
  }

  /** Takes {@linkcode drain} back. @throws {RangeError} If there is none of that name. */
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
      throw new RangeError(`No such backend: ${name}: there are ${names}`);
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
      // What one cannot have none of the others can: whom a demand avoids it takes where there is no other.
      if (!backend) return;
      this.#queue.delete(demand);
      this.#grant(demand, backend);
    }
  }
}
