/** The rule `layout/direction`. @module */
import { eachImport } from "./imports.ts";
import { folderOf, inProject, target } from "./project.ts";
import { computes, declaresPure, isPure, PURE_HINT } from "./purity.ts";

/** The folders that each folder may import besides itself; docs/architecture.md draws the same graph. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  internal: [],
  "protocol.ts": [],
  http: ["internal"],
  socket: ["internal"],
  native: ["socket", "internal"],
  tls: ["socket", "internal"],
  testing: ["socket", "internal"],
  access: ["protocol.ts", "socket", "internal"],
  relay: ["access", "protocol.ts", "socket", "internal"],
  services: ["http", "access", "tls", "protocol.ts", "socket", "internal"],
  loadtest: ["relay", "http", "tls", "testing", "access", "protocol.ts", "socket", "internal"],
  admin: ["services", "relay", "loadtest", "http", "access", "tls", "protocol.ts", "socket", "internal"],
  cli: [
    "admin",
    "services",
    "relay",
    "loadtest",
    "native",
    "testing",
    "http",
    "access",
    "tls",
    "protocol.ts",
    "socket",
    "internal",
  ],
  executables: ["cli", "loadtest", "relay", "services", "socket", "testing", "access", "tls", "protocol.ts"],
};

// Not part of the product: nothing in it imports these folders, and they may import anything.
const UNCHECKED: ReadonlySet<string> = new Set(["tests", "bench", "examples", "tools"]);

/** Checks which folder may import which, and what a pure file may import. */
export const direction: Deno.lint.Rule = {
  create(context) {
    const file = inProject(context.filename);
    const folder = folderOf(file);
    if (UNCHECKED.has(folder) || file.endsWith(".d.ts")) return {};
    const allowed = ALLOWED[folder];
    const pure = declaresPure(context.sourceCode.text);
    if (!allowed) {
      return {
        Program(node) {
          context.report({
            node,
            message: `${folder}/ is not a known folder of this project`,
            hint: `Move the file, or add ${folder}/ to ALLOWED in tools/lint/direction.ts`,
          });
        },
      };
    }
    return eachImport((found) => {
      const { specifier, typeOnly, node } = found;
      if (/^@okline\/okline(\/|$)/.test(specifier)) {
        const message = `${file} imports ${specifier}: import project files by their path`;
        return context.report({ node, message });
      }
      const path = target(file, specifier);
      if (path === "deno.json") return; // for the version
      if (path === undefined) {
        if (!pure || typeOnly || computes(found)) return;
        const message = `${file} is pure and must not import the package ${specifier}`;
        return context.report({ node, message, hint: `Instead, ${PURE_HINT}` });
      }
      const to = folderOf(path);
      if (to !== folder && !allowed.includes(to)) {
        const choice = allowed.length > 0 ? `may import only ${allowed.join(", ")}` : "imports nothing else";
        context.report({ node, message: `${file} must not import ${path}: ${folder} ${choice}` });
      } else if (pure && !typeOnly && !isPure(path)) {
        const message = `${file} is pure and must not import ${path}, which is not pure`;
        context.report({ node, message, hint: `Import only types, or ${PURE_HINT}` });
      }
    });
  },
};
