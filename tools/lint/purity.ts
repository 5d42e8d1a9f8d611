/** Finds out which files are pure: those that say so in their `@module` comment. @module */
import type { Import } from "./imports.ts";
import { fileOf } from "./project.ts";

/** The hint that rules give for a pure file. */
export const PURE_HINT = "pass the result in, or move this to a file that is not declared pure";

/** Packages without side effects. */
const PURE_PACKAGES: ReadonlySet<string> = new Set([
  "@std/text/levenshtein-distance",
  "hdr-histogram-js",
  "node:buffer",
]);

/** Names without side effects, of packages that have others too. */
const PURE_PARTS: Readonly<Record<string, ReadonlySet<string>>> = {
  "node:util": new Set(["parseArgs"]),
  "node:crypto": new Set(["createHash", "createPrivateKey", "timingSafeEqual", "X509Certificate"]),
};

/** Whether an import takes only names without side effects from a package. */
export function computes({ specifier, names }: Import): boolean {
  if (PURE_PACKAGES.has(specifier)) return true;
  const parts = PURE_PARTS[specifier];
  return parts !== undefined && names !== undefined && names.every((name) => parts.has(name));
}

/** Whether the `@module` comment of a source contains the word "Pure". */
export function declaresPure(source: string): boolean {
  const [comment] = /\/\*\*[^]*?\*\//.exec(source) ?? [""];
  return comment.includes("@module") && /\bPure\b/.test(comment);
}

/** Whether a file of the project is declared pure. A missing file is not. */
export function isPure(path: string): boolean {
  try {
    return declaresPure(Deno.readTextFileSync(fileOf(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
