/** The contract that all code above sockets relies on, and the networks that must fulfill it. */
import type { Network, Transport } from "../../../socket/network.ts";

/** One behavior, as a function of a network; it is run on each. */
export type Behavior = (network: Network) => Promise<void>;

/** The same for a peer that resets: what its other end sees. */
export type ResetBehavior = (far: Transport, reset: () => Promise<void>) => Promise<void>;

/** A kind of sockets that is held to the contract. */
export interface Ground {
  readonly permissions: Deno.PermissionOptions;
  run(behavior: Behavior): Promise<void>;
  runReset(behavior: ResetBehavior): Promise<void>;
  /** Behaviors that replace those that are impossible. */
  instead?(behavior: string): { readonly name: string; run(): Promise<void> } | undefined;
}
