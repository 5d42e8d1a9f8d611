/** Findings as lines below a verdict. Pure. @module */
import { plural } from "../../internal/plural.ts";
import { DESCRIBED, type Finding, leadingFindings } from "../../loadtest/judge/findings.ts";

/**
 * Returns the first findings of each kind, indented, and a line that says where to find the others.
 *
 * @param options.where The option that shows more of them, such as `--json`.
 * @param options.all Whether it shows every one. Default: up to twenty of each kind.
 */
export function findingLines(
  { findings }: { readonly findings: readonly Finding[] },
  { where, all = false }: { readonly where: string; readonly all?: boolean },
): string[] {
  const { leading, others, uncounted, complete } = leadingFindings(findings);
  const which = uncounted > 0
    ? plural(uncounted, { one: "more line like these", many: "more lines like these" }, {
      format: (count) => count.toLocaleString("en"),
    })
    : "Each of these";
  return [
    ...leading.map(({ text }) => `  ${text}`),
    ...(others.length === 0
      ? []
      : [`  ${which}: see ${where}${all || complete ? "" : `, with up to ${DESCRIBED} of each kind`}`]),
  ];
}
