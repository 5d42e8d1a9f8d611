/** Names that look alike, by Unicode's data. @module */
import unhomoglyph from "unhomoglyph";

/**
 * Returns the skeletons of a name by UTS 39, section 4: two strings with the same skeleton look alike. A skeleton depends on
 * the case, but names do not, so a name has one for each case it may be written in.
 *
 * @see https://www.unicode.org/reports/tr39/#Confusable_Detection
 */
export function skeletonsOf(name: string): readonly string[] {
  const spellings = [name, name.toLowerCase(), name.toUpperCase()];
  return spellings.map((spelling, index) => `${index} ${skeletonOf(spelling).toLowerCase()}`);
}

function skeletonOf(text: string): string {
  return unhomoglyph(text.normalize("NFD")).normalize("NFD");
}
