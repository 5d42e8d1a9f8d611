import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isPure } from "../tools/lint/purity.ts";
import rooms from "../tools/lint_rooms.ts";

const NO_SYSTEM = { permissions: "none" } as const;
/** Whether a file is pure stands in it. */
const READS = { permissions: { read: true } } as const;

/** What the plugin says about `source` as the file `file`: rule and message, in order. */
function lint(file: string, source: string): { rule: string; message: string }[] {
  return Deno.lint.runPlugin(rooms, file, source).map(({ id, message }) => ({ rule: id, message }));
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
  ["relay/relay_server.ts", "../socket/mod.ts"],
  ["relay/relay_server.ts", "../protocol.ts"],
  ["services/echo.ts", "../socket/mod.ts"],
  ["services/chat.ts", "../protocol.ts"],
  ["loadtest/fleet.ts", "../relay/mod.ts"],
  ["loadtest/fleet.ts", "../socket/system.ts"],
  ["loadtest/reply_delay.ts", "../cli/duration.ts"],
  ["admin/metrics.ts", "../services/mod.ts"],
  ["cli/options.ts", "./duration.ts"],
  ["cli/version.ts", "../deno.json"],
  ["server.ts", "./admin/mod.ts"],
  ["server.ts", "./cli/options.ts"],
  ["loadtest.ts", "./server.ts"],
  ["mod.ts", "./loadtest/mod.ts"],
  ["tests/server_test.ts", "../server.ts"],
  ["examples/echo.ts", "@okline/okline/socket"],
];

const REFUSED: readonly (readonly [from: string, to: string, named: string])[] = [
  ["socket/listener.ts", "../protocol.ts", "protocol.ts"],
  ["socket/listener.ts", "../relay/mod.ts", "relay/mod.ts"],
  ["socket/listener.ts", "../cli/log.ts", "cli/log.ts"],
  ["socket/memory/pipe.ts", "../../relay/mod.ts", "relay/mod.ts"],
  ["relay/relay_server.ts", "../services/mod.ts", "services/mod.ts"],
  ["relay/relay_server.ts", "../cli/log.ts", "cli/log.ts"],
  ["services/echo.ts", "../relay/mod.ts", "relay/mod.ts"],
  ["loadtest/fleet.ts", "../services/mod.ts", "services/mod.ts"],
  ["loadtest/fleet.ts", "../cli/log.ts", "cli/log.ts"],
  ["admin/metrics.ts", "../loadtest/mod.ts", "loadtest/mod.ts"],
  ["cli/options.ts", "../relay/mod.ts", "relay/mod.ts"],
  ["relay/relay_server.ts", "../server.ts", "server.ts"],
  ["relay/relay_server.ts", "../tests/helpers/server.ts", "tests/helpers/server.ts"],
  ["server.ts", "./tests/helpers/server.ts", "tests/helpers/server.ts"],
  ["relay/relay_server.ts", "@okline/okline/socket", "@okline/okline/socket"],
];

Deno.test("rooms/direction allows what the layout allows", NO_SYSTEM, () => {
  for (const [from, to] of ALLOWED) assertAllowed(from, `import { a } from "${to}";`);
});

Deno.test("rooms/direction refuses the other way and names what was imported", NO_SYSTEM, () => {
  for (const [from, to, named] of REFUSED) {
    assertRefused(from, `import { a } from "${to}";`, "rooms/direction", named);
  }
});

Deno.test("rooms/direction sees every way to name a module", NO_SYSTEM, () => {
  for (
    const source of [
      `import type { A } from "../cli/log.ts";`,
      `import "../cli/log.ts";`,
      `export { a } from "../cli/log.ts";`,
      `export * from "../cli/log.ts";`,
      `const log = await import("../cli/log.ts");`,
      `type A = import("../cli/log.ts").A;`,
      `import { a } from "./../socket/../cli/log.ts";`,
      `import { a } from "${new URL("../cli/log.ts", import.meta.url)}";`,
    ]
  ) assertRefused("socket/listener.ts", source, "rooms/direction", "cli/log.ts");
});

Deno.test("rooms/direction knows a file by its full path too", NO_SYSTEM, () => {
  const file = decodeURIComponent(new URL("../socket/listener.ts", import.meta.url).pathname);
  assertRefused(file, `import { a } from "../cli/log.ts";`, "rooms/direction", "socket/listener.ts");
});

Deno.test("rooms/direction wants every folder in its table", NO_SYSTEM, () => {
  assertAllowed("types/std.d.ts", `export const a: 1;`);
  assertRefused("attic/old.ts", `export const a = 1;`, "rooms/direction", "attic/");
});

/** A source of a file that calls itself pure. */
function pure(source: string): string {
  return `/** What it is. Pure. @module */\n${source}`;
}

Deno.test("rooms/direction lets a pure file import pure files and types only", READS, () => {
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
  ) assertAllowed("loadtest/made_up.ts", pure(source));
  for (
    const [specifier, named] of [
      ["../relay/relay_server.ts", "relay/relay_server.ts"],
      ["../relay/mod.ts", "relay/mod.ts"],
      ["../socket/system.ts", "socket/system.ts"],
      ["./fleet.ts", "loadtest/fleet.ts"],
      ["./not_there.ts", "loadtest/not_there.ts"],
      ["node:fs", "node:fs"],
    ] as const
  ) {
    const source = `import { a } from "${specifier}";`;
    assertAllowed("loadtest/made_up.ts", source);
    assertRefused("loadtest/made_up.ts", pure(source), "rooms/direction", named);
  }
});

Deno.test("rooms/direction takes a file for pure that says so in its @module comment", READS, () => {
  const source = `import { a } from "./fleet.ts";`;
  for (
    const comment of [
      "/** What it is. Pure. @module */",
      "#!/usr/bin/env -S deno run\n/** What it is. Pure: no clock. @module */",
      "/**\n * What it is. Pure, and\n * fast.\n *\n * @module\n */",
    ]
  ) assertRefused("loadtest/made_up.ts", `${comment}\n${source}`, "rooms/direction", "loadtest/fleet.ts");
  for (
    const comment of [
      "/** What it is: no pure thing. @module */",
      "/** What it is. Pure. */",
      "/** What it is. @module */\n/** Pure. @module */",
      "// Pure. @module",
    ]
  ) assertAllowed("loadtest/made_up.ts", `${comment}\n${source}`);
});

Deno.test("The codecs, the router, the plan and the ledger call themselves pure", READS, () => {
  for (
    const file of [
      "protocol.ts",
      "socket/line_decoder.ts",
      "socket/length_prefix_codec.ts",
      "socket/network.ts",
      "relay/router.ts",
      "loadtest/plan.ts",
      "loadtest/ledger.ts",
      "loadtest/rules.ts",
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
  [`import { delay } from "@std/async/delay";`, "@std/async/delay"],
  [`import { deadline } from "@std/async/deadline";`, "@std/async/deadline"],
  [`import { retry } from "@std/async/retry";`, "@std/async/retry"],
  [`import { setTimeout as later } from "node:timers/promises";`, "node:timers/promises"],
  [`export { randomBytes } from "node:crypto";`, "node:crypto"],
  [`import { createHash, randomInt } from "node:crypto";`, "node:crypto"],
  [`import * as all from "node:crypto";`, "node:crypto"],
];

Deno.test("rooms/pure-time refuses clocks, timers and chance of one's own", NO_SYSTEM, () => {
  for (const file of ["socket/connection.ts", "relay/relay_client.ts", "socket/memory/pipe.ts"]) {
    for (const [source, named] of TIMED) assertRefused(file, source, "rooms/pure-time", named);
  }
});

Deno.test("rooms/pure-time reports every use, each once", NO_SYSTEM, () => {
  const found = lint("relay/relay_client.ts", `Date.now(); const a = { Date, x: Date };\nMath.random();`);
  assertEquals(found.length, 4);
});

Deno.test("rooms/pure-time leaves names alone that are not the globals", NO_SYSTEM, () => {
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

Deno.test("rooms/pure-time leaves the real ones and the other folders alone", NO_SYSTEM, () => {
  for (const [source] of TIMED) {
    for (const file of ["socket/system.ts", "services/chat.ts", "server.ts", "tests/a_test.ts"]) {
      assertAllowed(file, source);
    }
  }
});

Deno.test("rooms/pure-time refuses the system in pure files, and nowhere else", NO_SYSTEM, () => {
  for (
    const file of ["protocol.ts", "socket/codec.ts", "relay/router.ts", "loadtest/plan.ts", "cli/size.ts"]
  ) {
    assertRefused(file, pure(`const stat = Deno.statSync("a");`), "rooms/pure-time", "Deno");
    assertRefused(file, pure(`globalThis.Deno.exit(1);`), "rooms/pure-time", "Deno");
    assertRefused(file, pure(`const t = Date.now();`), "rooms/pure-time", "Date");
    assertAllowed(file, pure(`let conn: Deno.Conn | undefined;`));
  }
  assertAllowed("socket/listener.ts", `const busy = error instanceof Deno.errors.AddrInUse;`);
  assertAllowed("loadtest/fleet.ts", `const stat = Deno.statSync("a");`);
});

Deno.test("rooms/no-console lets examples print, and nothing else", NO_SYSTEM, () => {
  assertAllowed("examples/echo.ts", `console.log("hello");`);
  assertAllowed("services/echo.ts", `const console = 1;`);
  for (const file of ["services/echo.ts", "programs/server.ts", "tests/echo_test.ts", "server.ts"]) {
    assertRefused(file, `console.log("hello");`, "rooms/no-console", file);
  }
});
