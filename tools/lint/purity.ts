/** Which files compute and do nothing else: those that say so of themselves, at their top. @module */
import type { Import } from "./imports.ts";
import { fileOf } from "./project.ts";

/** What a rule says to whoever breaks it in a pure file. */
export const PURE_HINT = "hand the result in, or move this to a file that does not call itself pure";

/** Packages that compute and do nothing else. */
const PURE_PACKAGES: ReadonlySet<string> = new Set([
  "@std/cli/parse-args",
  "@std/text/levenshtein-distance",
  "hdr-histogram-js",
  "node:buffer",
]);

/** What does so in a package that does other things too. */
const PURE_PARTS: Readonly<Record<string, ReadonlySet<string>>> = {
  "node:crypto": new Set(["createHash", "createPrivateKey", "timingSafeEqual", "X509Certificate"]),
};

/** Whether nothing is imported of a package but what computes. */
export function computes({ specifier, names }: Import): boolean {
  if (PURE_PACKAGES.has(specifier)) return true;
  const parts = PURE_PARTS[specifier];
  return parts !== undefined && names !== undefined && names.every((name) => parts.has(name));
}

/** Whether the `@module` comment of a source has a sentence that begins with "Pure". */
export function declaresPure(source: string): boolean {
  const [comment] = /\/\*\*[^]*?\*\//.exec(source) ?? [""];
  return comment.includes("@module") && /\bPure\b/.test(comment);
}

/** The same of a file of the project; one that is not there is not pure. */
export function isPure(path: string): boolean {
  try {
    return declaresPure(Deno.readTextFileSync(fileOf(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
