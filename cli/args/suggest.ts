/** Suggestions for misspelled names. Pure. @module */
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/**
 * Returns the one of `known` that was most likely meant by `word`: the nearest by edit distance (within two letters, or
 * a third of a long word), or else the only one that starts with `word`.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const candidates = [...known];
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const limit = candidate.length < 4 ? 1 : Math.max(2, Math.floor(candidate.length / 3));
    // The distance is never less than the difference in length, which is cheap to check first.
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = levenshteinDistance(word, candidate);
    if (distance <= limit && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  if (best !== undefined) return best;
  const completions = candidates.filter((candidate) => word !== "" && candidate.startsWith(word));
  return completions.length === 1 ? completions[0] : undefined;
}
