/** The rule `layout/pure-time`. @module */
import { eachImport } from "./imports.ts";
import { inProject } from "./project.ts";
import { computes, declaresPure, PURE_HINT } from "./purity.ts";
import { isReference, memberName } from "./reference.ts";

type Node = Deno.lint.Node;

/** Folders that get time and randomness passed in, except for the one file that has the real ones. */
const SEAMED = /^(internal|socket|native|tls|testing|access|relay)\//;
const REAL_ONES = "socket/tcp.ts";

const SEAM = "use the Clock or Random that is passed in; only socket/tcp.ts has the real ones";

/** Globals that read a clock or are random. */
const TIMED_GLOBALS: ReadonlySet<string> = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "performance",
  "Date",
  "Temporal",
  "crypto",
]);

/** Members that read a clock or are random, of globals that are otherwise allowed. */
const TIMED_MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  Math: new Set(["random"]),
  AbortSignal: new Set(["timeout"]),
  Atomics: new Set(["wait", "waitAsync"]),
};

/** Modules that read a clock or are random. */
const TIMED_MODULES = [
  /^node:(timers|crypto|perf_hooks|process)(\/|$)/,
  /^@std\/async\/(delay|deadline|debounce|throttle|retry|poll|wait_for|circuit_breaker)$/,
  /^@std\/async$/, // all of the above
  /^@std\/(random|ulid|uuid|crypto)(\/|$)/,
];

const GLOBAL_OBJECTS: ReadonlySet<string> = new Set(["globalThis", "self", "window"]);

/** Forbids clocks, timers, and randomness in folders that get them passed in, and the system too in pure files. */
export const pureTime: Deno.lint.Rule = {
  create(context) {
    const file = inProject(context.filename);
    const pure = declaresPure(context.sourceCode.text);
    if (!pure && (!SEAMED.test(file) || file === REAL_ONES)) return {};
    const reported = new Set<number>(); // a shorthand property is two identifiers in one place
    const report = (node: Node, name: string, hint: string): void => {
      if (reported.has(node.range[0])) return;
      reported.add(node.range[0]);
      const message = `${file} must not use ${name}`;
      context.report({ node, message, hint: `Instead, ${hint}` });
    };
    const global = (node: Node, name: string): void => {
      if (TIMED_GLOBALS.has(name)) report(node, name, pure ? PURE_HINT : SEAM);
      else if (pure && name === "Deno") report(node, name, PURE_HINT);
    };
    const member = (node: Node, object: string, name: string): void => {
      if (GLOBAL_OBJECTS.has(object)) global(node, name);
      else if (TIMED_MEMBERS[object]?.has(name)) report(node, `${object}.${name}`, pure ? PURE_HINT : SEAM);
    };
    return {
      ...eachImport((found) => {
        const { specifier, typeOnly, node } = found;
        if (typeOnly || computes(found) || !TIMED_MODULES.some((pattern) => pattern.test(specifier))) return;
        report(node, `the module ${specifier}`, pure ? PURE_HINT : SEAM);
      }),
      Identifier(node) {
        if (isReference(node)) global(node, node.name);
      },
      MemberExpression(node) {
        const name = memberName(node);
        if (node.object.type === "Identifier" && name !== undefined) member(node, node.object.name, name);
      },
      VariableDeclarator(node) {
        if (node.id.type !== "ObjectPattern" || node.init?.type !== "Identifier") return;
        for (const property of node.id.properties) {
          if (property.type !== "Property" || property.key.type !== "Identifier") continue;
          member(property, node.init.name, property.key.name);
        }
      },
    };
  },
};
