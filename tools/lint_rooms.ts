/**
 * Lint rules that hold the project to its layout: `rooms/direction`, which folder may import which, `rooms/pure-time`,
 * where time, chance and the system must be handed in, and `rooms/no-console`, who may print.
 *
 * @module
 */

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

/** How people write quantities: kept in cli/, and read wherever a specification has one in it. */
const NOTATION = /^cli\/(duration|size|printable)\.ts$/;

// Nothing of the product imports these, and they import what they like.
const WORKSHOPS: ReadonlySet<string> = new Set(["tests", "bench", "examples", "tools"]);

/** Files that compute and do nothing else: no time, no chance, no system, and no code that has any. */
const PURE = [
  /^protocol\.ts$/,
  /^socket\/(\w+_)?(codec|decoder|encoder)\.ts$/,
  /^socket\/(byte_queue|encode|errors|network|read_buffer|watch)\.ts$/,
  /^cli\/(address|duration|exit|help|option|printable|program|size|values)\.ts$/,
  /^relay\/(router\w*|delivery|roster|seat|text_table|due_list|back_off)\.ts$/,
  NOTATION,
  /^loadtest\/(plan|arrival|open_clients|payload|random|reply_delay|history|history_line|fault_spec|ok_faults|response_reader)\.ts$/,
  /^loadtest\/(ledger|column|finding|reason|run_facts|rules|account|latency|measures|verdict|verdict_text|threshold|summary|usage|timeline|junit|confidence|comparison|statistics|xml|\w+_table)\.ts$/,
  /^loadtest\/report\/(html|number|chart|bins|tables|(latency|time)_charts)\.ts$/,
  /^services\/(proxy_protocol\/(header|crc32c)|balance\/(policy|backend_pool)|chat\/(chat_room|text)|datagram_room|files\/(path|request|files_codec))\.ts$/,
  /^services\/http\/(body_reader|grammar|http_error|line_reader|request_head|request_parser|response|response_parser)\.ts$/,
];

/** Packages that compute and do nothing else. */
const PURE_PACKAGES: ReadonlySet<string> = new Set(["hdr-histogram-js", "node:buffer"]);

/** Where time and chance come through the seam: these folders, except the file that has the real ones. */
const SEAMED = /^(socket|relay)\//;
const REAL_ONES = "socket/system.ts";

const SEAM = "take it from the Clock or Random that is handed in; only socket/system.ts has the real ones";
const PURE_HINT = "hand the result in, or move this to a file that is not pure (PURE in tools/lint_rooms.ts)";

/** Globals with a clock or chance in them. */
const TIMED_GLOBALS: ReadonlySet<string> = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "performance",
  "Date",
  "Temporal",
  "crypto",
]);

/** Members with a clock or chance in them, of globals that are fine otherwise. */
const TIMED_MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  Math: new Set(["random"]),
  AbortSignal: new Set(["timeout"]),
  Atomics: new Set(["wait", "waitAsync"]),
};

/** Modules with a clock or chance in them. */
const TIMED_MODULES = [
  /^node:(timers|crypto|perf_hooks|process)(\/|$)/,
  /^@std\/async\/(delay|deadline|debounce|throttle|retry|poll|wait_for|circuit_breaker)$/,
  /^@std\/async$/, // all of the above
  /^@std\/(random|ulid|uuid|crypto)(\/|$)/,
];

/** What computes, and does nothing else, in a module that has chance in it. */
const TIMELESS: Readonly<Record<string, ReadonlySet<string>>> = {
  "node:crypto": new Set(["createHash", "createPrivateKey", "timingSafeEqual", "X509Certificate"]),
};

const GLOBAL_OBJECTS: ReadonlySet<string> = new Set(["globalThis", "self", "window"]);

type Node = Deno.lint.Node;

/** One module named in another, and whether it is gone once the types are. */
interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** The names taken from it; undefined where that may be any. */
  readonly names: readonly string[] | undefined;
  readonly node: Node;
}

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** The path from the project's root, `socket/errors.ts`. */
function inProject(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

/** The path of what `specifier` names, from the project's root; undefined when it is no file of the project. */
function target(from: string, specifier: string): string | undefined {
  if (!/^(\.\.?\/|\/|file:)/.test(specifier)) return undefined;
  return inProject(decodeURIComponent(new URL(specifier, `file://${ROOT}${from}`).pathname));
}

function roomOf(file: string): string {
  if (file === "protocol.ts") return file;
  if (NOTATION.test(file)) return "notation";
  const slash = file.indexOf("/");
  return slash < 0 ? "the executables" : file.slice(0, slash);
}

function isPure(file: string): boolean {
  return PURE.some((pattern) => pattern.test(file));
}

function literal(node: Node | null): string | undefined {
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

/** Calls `each` for every import, re-export, `import()` and `import("…")` type of a file. */
function eachImport(each: (found: Import) => void): Deno.lint.LintVisitor {
  const found = (source: Node | null, typeOnly: boolean, node: Node, names?: readonly string[]): void => {
    const specifier = literal(source);
    if (specifier !== undefined) each({ specifier, typeOnly, names, node });
  };
  return {
    ImportDeclaration(node) {
      const { specifiers } = node;
      const onlyTypes = specifiers.length > 0 &&
        specifiers.every((one) => one.type === "ImportSpecifier" && one.importKind === "type");
      const names = specifiers.map((one) =>
        one.type === "ImportSpecifier" && one.imported.type === "Identifier" ? one.imported.name : "*"
      );
      found(node.source, node.importKind === "type" || onlyTypes, node, names);
    },
    ExportNamedDeclaration(node) {
      found(node.source, node.exportKind === "type", node);
    },
    ExportAllDeclaration(node) {
      found(node.source, node.exportKind === "type", node);
    },
    ImportExpression(node) {
      found(node.source, false, node);
    },
    TSImportType(node) {
      found(node.argument.type === "TSLiteralType" ? node.argument.literal : null, true, node);
    },
  };
}

const direction: Deno.lint.Rule = {
  create(context) {
    const file = inProject(context.filename);
    const room = roomOf(file);
    if (WORKSHOPS.has(room) || file.endsWith(".d.ts")) return {};
    const allowed = ROOMS[room];
    if (!allowed) {
      return {
        Program(node) {
          context.report({
            node,
            message: `${room}/ is no room of this project`,
            hint: `Move the file, or give ${room}/ its place in ROOMS of tools/lint_rooms.ts`,
          });
        },
      };
    }
    return eachImport(({ specifier, typeOnly, node }) => {
      if (/^@okline\/okline(\/|$)/.test(specifier)) {
        const message = `${file} imports ${specifier}: inside the project a file is imported by its path`;
        return context.report({ node, message });
      }
      const path = target(file, specifier);
      if (path === "deno.json") return; // the version
      if (path === undefined) {
        if (!isPure(file) || typeOnly || PURE_PACKAGES.has(specifier)) return;
        const message = `${file} is pure and may not import the package ${specifier}`;
        return context.report({ node, message, hint: `Instead ${PURE_HINT}` });
      }
      const to = roomOf(path);
      if (to !== room && !allowed.includes(to)) {
        const choice = allowed.length > 0 ? `imports only ${allowed.join(", ")}` : "imports no other room";
        context.report({ node, message: `${file} may not import ${path}: ${room} ${choice}` });
      } else if (isPure(file) && !typeOnly && !isPure(path)) {
        const message = `${file} is pure and may not import ${path}, which is not`;
        context.report({ node, message, hint: `Import only types, or else ${PURE_HINT}` });
      }
    });
  },
};

/** Whether an identifier stands for the value of that name, and is not a type, a key or a member's name. */
function isReference(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.computed || !same(parent.property, node);
    case "Property":
      return parent.shorthand || parent.computed || !same(parent.key, node);
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.computed || !same(parent.key, node);
    case "ImportSpecifier":
    case "ExportSpecifier":
    case "TSTypeReference":
    case "TSQualifiedName":
    case "TSTypeQuery":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSEnumMember":
      return false;
    default:
      return true;
  }
}

function same(a: Node, b: Node): boolean {
  return a.range[0] === b.range[0] && a.range[1] === b.range[1];
}

/** The name in `object.name` and `object["name"]`. */
function memberName(node: Deno.lint.MemberExpression): string | undefined {
  if (node.computed) return literal(node.property);
  return node.property.type === "Identifier" ? node.property.name : undefined;
}

const pureTime: Deno.lint.Rule = {
  create(context) {
    const file = inProject(context.filename);
    const pure = isPure(file);
    if (!pure && (!SEAMED.test(file) || file === REAL_ONES)) return {};
    const reported = new Set<number>(); // a shorthand property is two identifiers in one place
    const report = (node: Node, name: string, hint: string): void => {
      if (reported.has(node.range[0])) return;
      reported.add(node.range[0]);
      const message = `${file} may not use ${name}`;
      context.report({ node, message, hint: `Instead ${hint}` });
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
      ...eachImport(({ specifier, typeOnly, names, node }) => {
        if (names !== undefined && names.every((name) => TIMELESS[specifier]?.has(name))) return;
        if (typeOnly || !TIMED_MODULES.some((pattern) => pattern.test(specifier))) return;
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

/** Programs say what they say through `cli/log.ts`; an example does as its readers would. */
const noConsole: Deno.lint.Rule = {
  create(context) {
    const file = inProject(context.filename);
    if (roomOf(file) === "examples") return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "console") return;
        context.report({ node, message: `${file} may not use console`, hint: "Use the Log of cli/log.ts" });
      },
    };
  },
};

/** The plugin, as `lint.plugins` in deno.json takes it. */
const plugin: Deno.lint.Plugin = {
  name: "rooms",
  rules: { direction, "pure-time": pureTime, "no-console": noConsole },
};

export default plugin;
