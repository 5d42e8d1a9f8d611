/** Findings as lines below a verdict. Pure. @module */
import { plural } from "../../internal/plural.ts";
import { DESCRIBED, type Finding, groupFindings, leadingFindings } from "../../loadtest/judge/findings.ts";

/** The heading of findings that follow from the cause. */
export const FOLLOWS = "Follows from this:";

/** Returns findings as indented lines, those that follow from the cause below a heading. */
export function groupLines([own = [], following = []]: readonly (readonly Finding[])[]): string[] {
  return [
    ...own.map(({ text }) => `  ${text}`),
    ...(following.length === 0 ? [] : [`  ${FOLLOWS}`]),
    ...following.map(({ text }) => `    ${text}`),
  ];
}

/**
 * Returns the first findings of each kind, indented, and a line that says where to find the others.
 *
 * @param options.where The option that shows more of them, such as `--json`.
 * @param options.all Whether it shows every one. Default: up to twenty of each kind.
 */
export function findingLines(
  judged: Parameters<typeof groupFindings>[0],
  { where, all = false }: { readonly where: string; readonly all?: boolean },
): string[] {
  const { own, following } = groupFindings(judged);
  const groups = [own, following].map(leadingFindings);
  const others = groups.reduce((sum, group) => sum + group.others.length, 0);
  const uncounted = groups.reduce((sum, group) => sum + group.uncounted, 0);
  const complete = groups.every((group) => group.complete);
  const which = uncounted > 0
    ? plural(uncounted, { one: "more line like these", many: "more lines like these" }, {
      format: (count) => count.toLocaleString("en"),
    })
    : "Each of these";
  return [
    ...groupLines(groups.map(({ leading }) => leading)),
    ...(others === 0
      ? []
      : [`  ${which}: see ${where}${all || complete ? "" : `, with up to ${DESCRIBED} of each kind`}`]),
  ];
}
