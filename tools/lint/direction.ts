/** The rule `rooms/direction`. @module */
import { eachImport } from "./imports.ts";
import { inProject, roomOf, target } from "./project.ts";
import { computes, declaresPure, isPure, PURE_HINT } from "./purity.ts";

/** What a folder, or the executables at the top, may import besides itself. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "protocol.ts": [],
  socket: [],
  cli: ["socket", "notation"],
  notation: [],
  relay: ["protocol.ts", "socket"],
  services: ["protocol.ts", "socket"],
  loadtest: ["protocol.ts", "socket", "relay", "notation"],
  admin: ["socket", "relay", "services"],
  programs: ["protocol.ts", "socket", "cli", "notation", "relay", "services", "loadtest", "admin"],
  "the executables": [
    "programs",
    "protocol.ts",
    "socket",
    "cli",
    "notation",
    "relay",
    "services",
    "loadtest",
    "admin",
  ],
};

// Nothing of the product imports these, and they import what they like.
const WORKSHOPS: ReadonlySet<string> = new Set(["tests", "bench", "examples", "tools"]);

/** Which room may import which, and what a pure file may import. */
export const direction: Deno.lint.Rule = {
  create(context) {
    const file = inProject(context.filename);
    const room = roomOf(file);
    if (WORKSHOPS.has(room) || file.endsWith(".d.ts")) return {};
    const allowed = ROOMS[room];
    const pure = declaresPure(context.sourceCode.text);
    if (!allowed) {
      return {
        Program(node) {
          context.report({
            node,
            message: `${room}/ is no room of this project`,
            hint: `Move the file, or give ${room}/ its place in ROOMS of tools/lint/direction.ts`,
          });
        },
      };
    }
    return eachImport((found) => {
      const { specifier, typeOnly, node } = found;
      if (/^@okline\/okline(\/|$)/.test(specifier)) {
        const message = `${file} imports ${specifier}: inside the project a file is imported by its path`;
        return context.report({ node, message });
      }
      const path = target(file, specifier);
      if (path === "deno.json") return; // the version
      if (path === undefined) {
        if (!pure || typeOnly || computes(found)) return;
        const message = `${file} is pure and may not import the package ${specifier}`;
        return context.report({ node, message, hint: `Instead ${PURE_HINT}` });
      }
      const to = roomOf(path);
      if (to !== room && !allowed.includes(to)) {
        const choice = allowed.length > 0 ? `imports only ${allowed.join(", ")}` : "imports no other room";
        context.report({ node, message: `${file} may not import ${path}: ${room} ${choice}` });
      } else if (pure && !typeOnly && !isPure(path)) {
        const message = `${file} is pure and may not import ${path}, which is not`;
        context.report({ node, message, hint: `Import only types, or else ${PURE_HINT}` });
      }
    });
  },
};
