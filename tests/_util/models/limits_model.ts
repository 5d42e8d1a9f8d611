/** A model of the peers that a listener with limits admits. */

/** The limits of a {@linkcode LimitsModel}. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  /** A divisor of 1000, so that the model counts in whole ms. */
  readonly maxAcceptRate: number;
}

/** The kernel's queue, the peers admitted from it, and the rate. */
export class LimitsModel<Peer extends { readonly ip: string }> {
  /** Peers in the kernel's queue, in order. */
  readonly queue: Peer[] = [];
  readonly served = new Set<Peer>();
  accepted = 0;
  refused = 0;
  /** Number of times that the rate delayed a peer. */
  paced = 0;
  readonly #limits: AdmissionLimits;
  /** Gains one per ms, up to 1000. A peer costs 1000 divided by the rate. */
  #tokens = 1000;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Advances the time by one ms. */
  tick(): void {
    this.#tokens = Math.min(1000, this.#tokens + 1);
  }

  /** Returns the next peer that is accepted now, if any, and the line that it receives if it is refused. */
  accept(): { peer: Peer; refusal: string | undefined } | undefined {
    const [peer] = this.queue;
    const cost = 1000 / this.#limits.maxAcceptRate;
    if (peer === undefined) return undefined;
    if (this.#tokens < cost) {
      this.paced++;
      return undefined;
    }
    this.queue.shift();
    this.#tokens -= cost;
    this.accepted++;
    const refusal = this.#refusal(peer);
    if (refusal === undefined) this.served.add(peer);
    else this.refused++;
    return { peer, refusal };
  }

  #refusal({ ip }: Peer): string | undefined {
    const { maxConnections, maxConnectionsPerIp } = this.#limits;
    if (this.served.size === maxConnections) return `busy: ${maxConnections} connections are open`;
    const same = [...this.served].filter((peer) => peer.ip === ip).length;
    if (same < maxConnectionsPerIp) return undefined;
    return `busy: ${maxConnectionsPerIp} connections are open from this address`;
  }
}
