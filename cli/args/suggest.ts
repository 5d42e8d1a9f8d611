/** Near misses. Pure. @module */
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/**
 * The one of `known` that was most likely meant by `word`: the nearest by edit distance (within two letters, or a third
 * of a long word), or else the only one that `word` is the beginning of.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const candidates = [...known];
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    // The distance is never less than the difference in length, which costs nothing to know.
    const bound = candidate.length < 4 ? 1 : Math.max(2, Math.floor(candidate.length / 3));
    if (Math.abs(candidate.length - word.length) > bound) continue;
    const distance = levenshteinDistance(word, candidate);
    if (distance <= bound && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  if (best !== undefined) return best;
  const completions = candidates.filter((candidate) => word !== "" && candidate.startsWith(word));
  return completions.length === 1 ? completions[0] : undefined;
}
