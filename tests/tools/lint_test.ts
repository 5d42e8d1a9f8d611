import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isPure } from "../../tools/lint/purity.ts";
import layout from "../../tools/lint.ts";
import { pure } from "../_util/permissions.ts";

/** The rule reads a file to find out whether it is pure. */
const READS = { permissions: { read: true } } as const;

/** Returns the rule and message of each finding in `source`, linted as `file`. */
function lint(file: string, source: string): { rule: string; message: string }[] {
  return Deno.lint.runPlugin(layout, file, source).map(({ id, message }) => ({ rule: id, message }));
}

function assertAllowed(file: string, source: string): void {
  assertEquals(lint(file, source), [], `${file}: ${source}`);
}

function assertRefused(file: string, source: string, rule: string, named: string): void {
  const found = lint(file, source);
  assertEquals(found.map((one) => one.rule), [rule], `${file}: ${source}`);
  assertStringIncludes(found[0]?.message ?? "", named);
}

const ALLOWED: readonly (readonly [from: string, to: string])[] = [
  ["socket/listener.ts", "./connection.ts"],
  ["socket/codecs/line_codec.ts", "../../internal/clock.ts"],
  ["relay/server.ts", "../socket/mod.ts"],
  ["relay/server.ts", "../protocol.ts"],
  ["relay/router/router.ts", "../../internal/clock.ts"],
  ["services/echo/service.ts", "../../socket/mod.ts"],
  ["services/http/service.ts", "../../http/grammar.ts"],
  ["loadtest/generate/fleet.ts", "../../relay/mod.ts"],
  ["loadtest/plan/reply_delay.ts", "../../internal/duration.ts"],
  ["admin/metrics.ts", "../services/mod.ts"],
  ["cli/args/option.ts", "../../internal/duration.ts"],
  ["cli/run_program.ts", "../deno.json"],
  ["server.ts", "./cli/run_program.ts"],
  ["loadtest.ts", "./server.ts"],
  ["mod.ts", "./socket/mod.ts"],
  ["tests/relay/server_test.ts", "../../server.ts"],
  ["examples/echo.ts", "@okline/okline/socket"],
];

const REFUSED: readonly (readonly [from: string, to: string, named: string])[] = [
  ["internal/sleep.ts", "../socket/network.ts", "socket/network.ts"],
  ["socket/listener.ts", "../protocol.ts", "protocol.ts"],
  ["socket/listener.ts", "../relay/mod.ts", "relay/mod.ts"],
  ["socket/listener.ts", "../cli/terminal/log.ts", "cli/terminal/log.ts"],
  ["socket/codecs/line_codec.ts", "../../tls/mod.ts", "tls/mod.ts"],
  ["http/grammar.ts", "../socket/mod.ts", "socket/mod.ts"],
  ["relay/server.ts", "../services/mod.ts", "services/mod.ts"],
  ["relay/server.ts", "../cli/terminal/log.ts", "cli/terminal/log.ts"],
  ["services/echo/service.ts", "../../relay/mod.ts", "relay/mod.ts"],
  ["loadtest/generate/fleet.ts", "../../services/mod.ts", "services/mod.ts"],
  ["loadtest/generate/fleet.ts", "../../cli/terminal/log.ts", "cli/terminal/log.ts"],
  ["admin/metrics.ts", "../cli/terminal/log.ts", "cli/terminal/log.ts"],
  ["relay/server.ts", "../server.ts", "server.ts"],
  ["relay/server.ts", "../tests/_util/server.ts", "tests/_util/server.ts"],
  ["server.ts", "./tests/_util/server.ts", "tests/_util/server.ts"],
  ["relay/server.ts", "@okline/okline/socket", "@okline/okline/socket"],
];

Deno.test("layout/direction allows imports along the graph", pure, () => {
  for (const [from, to] of ALLOWED) assertAllowed(from, `import { a } from "${to}";`);
});

Deno.test("layout/direction reports imports against the graph and names the imported file", pure, () => {
  for (const [from, to, named] of REFUSED) {
    assertRefused(from, `import { a } from "${to}";`, "layout/direction", named);
  }
});

Deno.test("layout/direction finds every kind of import", pure, () => {
  for (
    const source of [
      `import type { A } from "../cli/terminal/log.ts";`,
      `import "../cli/terminal/log.ts";`,
      `export { a } from "../cli/terminal/log.ts";`,
      `export * from "../cli/terminal/log.ts";`,
      `const log = await import("../cli/terminal/log.ts");`,
      `type A = import("../cli/terminal/log.ts").A;`,
      `import { a } from "../cli/terminal/log.ts";`,
      `import { a } from "${new URL("../../cli/terminal/log.ts", import.meta.url)}";`,
    ]
  ) assertRefused("socket/listener.ts", source, "layout/direction", "cli/terminal/log.ts");
});

Deno.test("layout/direction accepts a full path as file name", pure, () => {
  const file = decodeURIComponent(new URL("../../socket/listener.ts", import.meta.url).pathname);
  assertRefused(
    file,
    `import { a } from "../cli/terminal/log.ts";`,
    "layout/direction",
    "socket/listener.ts",
  );
});

Deno.test("layout/direction reports a folder that is not in its table", pure, () => {
  assertAllowed("types/std.d.ts", `export const a: 1;`);
  assertRefused("attic/old.ts", `export const a = 1;`, "layout/direction", "attic/");
});

/** Returns a source that is declared pure. */
function pureSource(source: string): string {
  return `/** A made-up module. Pure. @module */\n${source}`;
}

Deno.test("layout/direction allows a pure file to import only pure files and types", READS, () => {
  for (
    const source of [
      `import { unescape } from "../protocol.ts";`,
      `import { FramingError } from "../socket/errors.ts";`,
      `import type { Connection } from "../socket/connection.ts";`,
      `import { type Connection } from "../socket/connection.ts";`,
      `import type { Options } from "cli-table3";`,
      `import { build } from "hdr-histogram-js";`,
      `import { createHash } from "node:crypto";`,
    ]
  ) assertAllowed("loadtest/made_up.ts", pureSource(source));
  for (
    const [specifier, named] of [
      ["../relay/server.ts", "relay/server.ts"],
      ["../relay/mod.ts", "relay/mod.ts"],
      ["../socket/tcp.ts", "socket/tcp.ts"],
      ["./generate/fleet.ts", "loadtest/generate/fleet.ts"],
      ["./not_there.ts", "loadtest/not_there.ts"],
      ["node:fs", "node:fs"],
    ] as const
  ) {
    const source = `import { a } from "${specifier}";`;
    assertAllowed("loadtest/made_up.ts", source);
    assertRefused("loadtest/made_up.ts", pureSource(source), "layout/direction", named);
  }
});

Deno.test("layout/direction reads purity from the @module comment", READS, () => {
  const source = `import { a } from "./generate/fleet.ts";`;
  for (
    const comment of [
      "/** A made-up module. Pure. @module */",
      "#!/usr/bin/env -S deno run\n/** A made-up module. Pure: no clock. @module */",
      "/**\n * A made-up module. Pure, and\n * fast.\n *\n * @module\n */",
    ]
  ) {
    assertRefused(
      "loadtest/made_up.ts",
      `${comment}\n${source}`,
      "layout/direction",
      "loadtest/generate/fleet.ts",
    );
  }
  for (
    const comment of [
      "/** A made-up module, not a pure one. @module */",
      "/** A made-up module. Pure. */",
      "/** A made-up module. @module */\n/** Pure. @module */",
      "// Pure. @module",
    ]
  ) assertAllowed("loadtest/made_up.ts", `${comment}\n${source}`);
});

Deno.test("The codecs, the router, the plan, and the ledger are declared pure", READS, () => {
  for (
    const file of [
      "protocol.ts",
      "socket/codecs/line_codec.ts",
      "socket/codecs/length_prefix_codec.ts",
      "socket/network.ts",
      "relay/router/router.ts",
      "loadtest/plan/plan.ts",
      "loadtest/ledger/ledger.ts",
      "loadtest/judge/checks.ts",
    ]
  ) assert(isPure(file), file);
});

const TIMED: readonly (readonly [source: string, named: string])[] = [
  [`setTimeout(() => {}, 1);`, "setTimeout"],
  [`setInterval(() => {}, 1);`, "setInterval"],
  [`setImmediate(() => {});`, "setImmediate"],
  [`const t = performance.now();`, "performance"],
  [`const t = Date.now();`, "Date"],
  [`const t = new Date();`, "Date"],
  [`const clock = { Date };`, "Date"],
  [`const t = Temporal.Now.instant();`, "Temporal"],
  [`const r = Math.random();`, "Math.random"],
  [`const r = Math["random"]();`, "Math.random"],
  [`const { random } = Math;`, "Math.random"],
  [`const r = a.pick ?? Math.random;`, "Math.random"],
  [`const signal = AbortSignal.timeout(5);`, "AbortSignal.timeout"],
  [`Atomics.wait(cells, 0, 0, 5);`, "Atomics.wait"],
  [`await Atomics.waitAsync(cells, 0, 0, 5).value;`, "Atomics.waitAsync"],
  [`const id = crypto.randomUUID();`, "crypto"],
  [`globalThis.setTimeout(() => {}, 1);`, "setTimeout"],
  [`const { setTimeout: later } = globalThis;`, "setTimeout"],
  [`import { sleep } from "@std/async/delay";`, "@std/async/delay"],
  [`import { deadline } from "@std/async/deadline";`, "@std/async/deadline"],
  [`import { retry } from "@std/async/retry";`, "@std/async/retry"],
  [`import { setTimeout as later } from "node:timers/promises";`, "node:timers/promises"],
  [`export { randomBytes } from "node:crypto";`, "node:crypto"],
  [`import { createHash, randomInt } from "node:crypto";`, "node:crypto"],
  [`import * as all from "node:crypto";`, "node:crypto"],
];

Deno.test("layout/pure-time reports clocks, timers, and randomness", pure, () => {
  for (const file of ["socket/connection.ts", "relay/client.ts", "testing/memory_socket.ts"]) {
    for (const [source, named] of TIMED) assertRefused(file, source, "layout/pure-time", named);
  }
});

Deno.test("layout/pure-time reports every use exactly once", pure, () => {
  const found = lint("relay/client.ts", `Date.now(); const a = { Date, x: Date };\nMath.random();`);
  assertEquals(found.length, 4);
});

Deno.test("layout/pure-time ignores names that are not the globals", pure, () => {
  for (
    const source of [
      `const d = options.clock.setTimeout; const e = a.Date; const f = a?.crypto;`,
      `interface I { Date: number; crypto(): void } type T = Date; let d: Deno.Conn;`,
      `enum E { Date } type P = typeof performance; export { log as crypto } from "./errors.ts";`,
      `class C { performance = 1; setTimeout(): void {} } const o = { Date: 1, crypto: 2 };`,
      `const a = Math.max(1, 2); const { floor } = Math; const s = AbortSignal.any([]);`,
      `queueMicrotask(() => {}); clearTimeout(id);`,
      `import { abortable } from "@std/async/abortable"; import { pooledMap } from "@std/async/pool";`,
      `import type { Timeout } from "node:timers";`,
      `import { createHash, timingSafeEqual } from "node:crypto";`,
    ]
  ) assertAllowed("socket/connection.ts", source);
});

Deno.test("layout/pure-time ignores the system clock's file and other folders", pure, () => {
  for (const [source] of TIMED) {
    for (const file of ["socket/tcp.ts", "services/chat/service.ts", "server.ts", "tests/a_test.ts"]) {
      assertAllowed(file, source);
    }
  }
});

Deno.test("layout/pure-time reports Deno only in pure files", pure, () => {
  for (
    const file of [
      "protocol.ts",
      "socket/codecs/codec.ts",
      "relay/router/router.ts",
      "loadtest/plan/plan.ts",
      "internal/size.ts",
    ]
  ) {
    assertRefused(file, pureSource(`const stat = Deno.statSync("a");`), "layout/pure-time", "Deno");
    assertRefused(file, pureSource(`globalThis.Deno.exit(1);`), "layout/pure-time", "Deno");
    assertRefused(file, pureSource(`const t = Date.now();`), "layout/pure-time", "Date");
    assertAllowed(file, pureSource(`let conn: Deno.Conn | undefined;`));
  }
  assertAllowed("socket/listener.ts", `const busy = error instanceof Deno.errors.AddrInUse;`);
  assertAllowed("loadtest/generate/fleet.ts", `const stat = Deno.statSync("a");`);
});

Deno.test("layout/no-console allows console only in examples", pure, () => {
  assertAllowed("examples/echo.ts", `console.log("hello");`);
  assertAllowed("services/echo/service.ts", `const console = 1;`);
  for (
    const file of [
      "services/echo/service.ts",
      "cli/server/main.ts",
      "tests/services/echo/service_test.ts",
      "server.ts",
    ]
  ) {
    assertRefused(file, `console.log("hello");`, "layout/no-console", file);
  }
});
