/** Stats that the admin server reads from any service. Pure. @module */

/** Counts by name, such as closed connections by reason. */
export type Counts = Readonly<Record<string, number>>;

/** Stats of a service, as far as it has them. */
export interface ServiceStats {
  readonly connections?: number;
  readonly accepted?: number;
  readonly transientErrors?: number;
  readonly outOfDescriptors?: number;
  readonly queuedBytes?: number;
  readonly suspended?: boolean;
  readonly closed?: Counts;
  readonly refusals?: Counts;
  readonly timeouts?: Counts;
  readonly framingErrors?: Counts;
  readonly pending?: number;
  readonly messages?: number;
  readonly settled?: number;
  readonly oks?: number;
  readonly stray?: number;
  readonly redelivered?: number;
  readonly dropped?: number;
  readonly rejected?: number;
  readonly limited?: number;
  readonly limitedBy?: Counts;
  readonly nodes?: number;
  /** Processes that serve, for a server of several. */
  readonly processes?: number;
  readonly bus?: { readonly connected: boolean };
}

/** The sum of counts. */
export function totalOf(counts: Counts = {}): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
