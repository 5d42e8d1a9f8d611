/** Who a listener with limits lets in, by its rules and nothing else. */

/** The bounds of a {@linkcode LimitsModel}. */
export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  /** A divisor of 1000, so that the model counts in whole ms. */
  readonly maxAcceptRate: number;
}

/** The kernel's queue, those who were let in from it, and the rate. */
export class LimitsModel<Peer extends { readonly ip: string }> {
  /** In the kernel's queue, in order. */
  readonly queue: Peer[] = [];
  readonly served = new Set<Peer>();
  accepted = 0;
  refused = 0;
  /** Times that the rate kept somebody waiting. */
  paced = 0;
  readonly #limits: AdmissionLimits;
  /** One for each ms, up to a second's worth; a peer costs the ms of its share of a second. */
  #tokens = 1000;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** A ms passes. */
  tick(): void {
    this.#tokens = Math.min(1000, this.#tokens + 1);
  }

  /** The next peer that is accepted at this moment, if any, and what it hears where it is refused. */
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
