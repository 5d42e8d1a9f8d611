/** Policies that choose the backend of the next connection. Pure. @module */
import type { Random } from "../../internal/clock.ts";

/** The policies by name. */
export const POLICY_NAMES = ["round-robin", "least-connections", "random", "source"] as const;

/**
 * Name of a policy:
 *
 * - `round-robin`: one after the other.
 * - `least-connections`: the one with the fewest connections, in turn if several have equally many.
 * - `random`: the less loaded of two chosen at random. That is nearly as even as comparing all, and does not send every
 *   client to the same backend (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
 * - `source`: by the client's address, always the same as long as it is available. When backends come and go, only their
 *   clients move (rendezvous hashing: Thaler and Ravishankar, 1998).
 */
export type PolicyName = typeof POLICY_NAMES[number];

/** A backend as a policy sees it. */
export interface Candidate {
  /** Position among all backends, including those that are unavailable. */
  readonly index: number;
  readonly name: string;
  /** Number of open connections. */
  readonly open: number;
}

/** Chooses one of the candidates. There is at least one, and they are in the order of their index. */
export type Policy = <Backend extends Candidate>(candidates: readonly Backend[], source: string) => Backend;

/** Returns a new policy, with its own state if it has any. */
export function createPolicy(name: PolicyName, random: Random): Policy {
  switch (name) {
    case "round-robin":
      return roundRobin();
    case "least-connections":
      return leastConnections();
    case "random":
      return (candidates) => lessLoadedOfTwo(candidates, random);
    case "source":
      return (candidates, source) => highest(candidates, (backend) => hash(`${source} ${backend.name}`));
  }
}

function roundRobin(): Policy {
  // By index, not by count, so that the turn does not move while a backend is unavailable.
  let last = -1;
  return (candidates) => {
    const next = candidates.find((backend) => backend.index > last) ?? candidates[0]!;
    last = next.index;
    return next;
  };
}

function leastConnections(): Policy {
  const next = roundRobin();
  return (candidates, source) => {
    const fewest = Math.min(...candidates.map((backend) => backend.open));
    return next(candidates.filter((backend) => backend.open === fewest), source);
  };
}

function lessLoadedOfTwo<Backend extends Candidate>(candidates: readonly Backend[], random: Random): Backend {
  const first = Math.floor(random() * candidates.length);
  if (candidates.length === 1) return candidates[first]!;
  // One of the others, because choosing the same twice would leave no choice.
  const step = 1 + Math.floor(random() * (candidates.length - 1));
  const one = candidates[first]!;
  const other = candidates[(first + step) % candidates.length]!;
  return other.open < one.open ? other : one;
}

function highest<Item>(items: readonly Item[], score: (item: Item) => number): Item {
  return items.reduce((best, item) => score(item) > score(best) ? item : best);
}

/** FNV-1a over UTF-16 units with the finalizer of MurmurHash3: FNV alone gives similar texts similar high bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
