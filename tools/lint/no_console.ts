/** The rule `layout/no-console`. @module */
import { folderOf, inProject } from "./project.ts";

/** Forbids `console` outside of examples: programs print through `cli/terminal/log.ts`. */
export const noConsole: Deno.lint.Rule = {
  create(context) {
    const file = inProject(context.filename);
    if (folderOf(file) === "examples") return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "console") return;
        context.report({
          node,
          message: `${file} must not use console`,
          hint: "Use the Log of cli/terminal/log.ts",
        });
      },
    };
  },
};
