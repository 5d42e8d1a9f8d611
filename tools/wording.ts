/**
 * Checks the English of comments, strings, and documentation pages for phrases that readers stumble over,
 * and prints each hit with its place and a better wording. Exits 1 if there is one.
 *
 * Run it with `deno task wording`, or with file names to check only those.
 *
 * @module
 */

/** A phrase to avoid, and its replacement. */
interface Phrase {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Phrases that are nearly always wrong. Sentences in which one is right are reworded, or listed in `ALLOWED`. */
const PHRASES: readonly Phrase[] = [
  {
    pattern:
      /\b(who|whoever|nobody|somebody|no one) (is|has|may|does|comes|waits|speaks|reads|serves|asks|finishes|sends|takes)\b/i,
    instead: "name the client, peer, server, or caller",
  },
  // "There is none" and "there is no server" are how English says it; "it is none" and "it is no server" are not.
  { pattern: /(?<!\bthere )\b(is|are|has|have|holds) none\b/i, instead: "negate the verb, not the noun" },
  {
    pattern: /(?<!\bthere )\bis no (?!longer\b|more than\b)\w+/i,
    instead: '"is not a …", or negate the verb',
  },
  { pattern: /\bso[- ]many/i, instead: '"every nth", or the number' },
  { pattern: /\bso long\b/i, instead: '"for this long", "as long as"' },
  { pattern: /\ban own\b/i, instead: '"its own", "a new"' },
  { pattern: /\bunder way\b/i, instead: '"in flight", "pending"' },
  { pattern: /\bstands?\b(?! (for|out|in)\b)/i, instead: '"is", "is open"' },
  { pattern: /\b(tells?|told)\b/i, instead: '"says", "reports", "notifies", "shows"' },
  { pattern: /\bmeanwhile\b/i, instead: '"until then", "in the meantime"' },
  { pattern: /\b(is|are) (not )?to (be|have|fail|go)\b/i, instead: '"must", "must not"' },
  { pattern: /\bby TLS\b/i, instead: '"over TLS"' },
  { pattern: /\bown server\b/i, instead: '"spawned server"' },
  {
    pattern: /\bsent away\b|\btakes? leave\b|\blets? in\b|\blet in\b/i,
    instead: '"refused", "closed", "admitted"',
  },
];

/** Words with which a doc comment must not begin. */
const BEGINNING: Phrase = {
  pattern: /^\s*\/\*\*\s+(What|Who|How|Whoever|Where)\b|^\s*\*\s+@(param \w+|returns)\s+(What|Who)\b/,
  instead: "begin with a verb or a noun phrase",
};

/** Hits that are right, by the text around them. */
const ALLOWED: readonly RegExp[] = [
  /is no newline, .* no backslash/, // A message of load tests, which seeds must reproduce.
];

/** A hit. */
interface Hit {
  readonly file: string;
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

/** Returns the parts of a line that people read: all of a page, and comments and strings of a source file. */
function prose(file: string, lines: readonly string[]): readonly string[] {
  if (!file.endsWith(".ts")) return withoutCode(lines);
  let inBlock = false;
  let inExample = false;
  return lines.map((line) => {
    const starts = !inBlock && /^\s*\/\*/.test(line);
    if (starts) inBlock = true;
    if (inBlock) {
      if (line.includes("```")) inExample = !inExample;
      const text = inExample ? "" : line;
      if (line.includes("*/")) inBlock = inExample = false;
      return text;
    }
    const comment = /(^|\s)\/\/ .*$/.exec(line)?.[0] ?? "";
    const strings = line.match(/"(?:[^"\\]|\\.)* (?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)* (?:[^`\\]|\\.)*`/g) ?? [];
    return [...strings, comment].join(" ");
  });
}

/** Blanks fenced code blocks and keeps the line numbers. */
function withoutCode(lines: readonly string[]): readonly string[] {
  let fenced = false;
  return lines.map((line) => {
    if (/^\s*```/.test(line)) fenced = !fenced;
    return fenced ? "" : line.replace(/`[^`]*`/g, "``");
  });
}

function check(file: string, text: string): Hit[] {
  const hits: Hit[] = [];
  prose(file, text.split("\n")).forEach((line, index) => {
    if (ALLOWED.some((allowed) => allowed.test(line))) return;
    for (const { pattern, instead } of [...PHRASES, BEGINNING]) {
      const found = pattern.exec(line)?.[0].trim();
      if (found !== undefined) hits.push({ file, line: index + 1, found, instead });
    }
  });
  return hits;
}

/** Returns the files of the project that git tracks or would track. */
async function files(): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.ts", "*.md"],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((file) =>
    file !== "" && file !== "tools/wording.ts"
  );
}

if (import.meta.main) {
  const hits: Hit[] = [];
  for (const file of Deno.args.length > 0 ? Deno.args : await files()) {
    try {
      hits.push(...check(file, await Deno.readTextFile(file)));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Deleted, but not yet committed.
    }
  }
  for (const { file, line, found, instead } of hits) {
    await Deno.stdout.write(new TextEncoder().encode(`${file}:${line}: "${found}": ${instead}\n`));
  }
  if (hits.length > 0) Deno.exit(1);
}
