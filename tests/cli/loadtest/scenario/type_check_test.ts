import { assertEquals } from "@std/assert";
import { checkedImports, typeError } from "../../../../cli/loadtest/scenario/type_check.ts";
import { pure } from "../../../_util/permissions.ts";

const WHERE = { path: "load/echo.ts", url: "file:///home/ann/load/echo.ts", root: "file:///opt/okline/" };

function found(code: string, message: string, place: string): string {
  return `${code} [ERROR]: ${message}\nconst x = y;\n      ^\n    at ${place}\n\n`;
}

const OWN = found(
  "TS2339",
  "Property 'name' does not exist.",
  "file:///opt/okline/cli/loadtest/run.ts:284:13",
);

Deno.test("typeError() names the file of the first error of the user, and counts theirs only", pure, () => {
  const cases: [string, string][] = [
    [
      OWN + found("TS2322", "Type 'string' is not assignable.", "file:///home/ann/load/echo.ts:2:7"),
      "Cannot run load/echo.ts: TS2322: Type 'string' is not assignable at echo.ts:2:7",
    ],
    [
      found("TS1", "One.", "file:///home/ann/load/lib/my%20words.ts:1:14") +
      found("TS2", "Two.", "file:///home/ann/load/echo.ts:2:7") + OWN + "Found 3 errors.\n",
      "Cannot run load/echo.ts: TS1: One at lib/my words.ts:1:14 (and 1 more)",
    ],
    [
      found("TS1", "One.", "file:///home/ann/shared.ts:1:1"),
      "Cannot run load/echo.ts: TS1: One at /home/ann/shared.ts:1:1",
    ],
    [
      found(
        "TS2307",
        `Import "#x" not a dependency and not in import map from "f"`,
        "file:///home/ann/load/echo.ts:1:1",
      ),
      `Cannot run load/echo.ts: TS2307: Import "#x" not a dependency and not in import map from "f" at echo.ts:1:1; ` +
      "a scenario imports okline by name, its own files as ./FILE.ts, and packages as npm:NAME or jsr:NAME",
    ],
    [
      `TS2345 [ERROR]: Argument of type '{ session(t: Session<unknown, undefined>): Promise<void>; }' is not assignable.
  Property 'codec' is missing in type '{ session(t: Session<unknown, undefined>): Promise<void>; }' but required in type 'X'.
  async session(t) {
  ~~~~~
    at file:///home/ann/load/echo.ts:2:25

    'codec' is declared here.
      readonly codec: Codec<Frame>;
               ~~~~~
        at file:///opt/okline/loadtest/scenario/scenario.ts:114:12

error: Type checking failed.

Stack backtrace:
   0: <unknown>
`,
      "Cannot run load/echo.ts: TS2345: Property 'codec' is missing in type '{ session(t: Session<unknown, undefined…' " +
      "but required in type 'X' at echo.ts:2:25",
    ],
    [
      `TS2322 [ERROR]: Type '() => Codec<RespValue>' is not assignable to type 'Codec<unknown>'.
export default scenario({ codec: respCodec });
                                 ~~~~~~~~~
    at file:///home/ann/load/echo.ts:2:34

    Did you mean to call this expression?
    export default scenario({ codec: respCodec });
                                     ~~~~~~~~~
        at file:///home/ann/load/echo.ts:2:34

error: Type checking failed.
`,
      "Cannot run load/echo.ts: TS2322: Type '() => Codec<RespValue>' is not assignable to type 'Codec<unknown>' " +
      "(did you mean to call this expression?) at echo.ts:2:34",
    ],
    [
      `error: SyntaxError: Expression expected
  |
2 | export default scenario({ codec: , session() {} });
  |                                  ~
    at file:///home/ann/load/echo.ts:2:34

Stack backtrace:
   0: <unknown>
`,
      "Cannot run load/echo.ts: SyntaxError: Expression expected at echo.ts:2:34",
    ],
    [
      "error: npm package '@ann/nope' does not exist.\n    at file:///home/ann/load/echo.ts:2:19\n\nStack backtrace:\n",
      "Cannot run load/echo.ts: npm package '@ann/nope' does not exist at echo.ts:2:19",
    ],
    ["Killed\nby nobody", "Cannot run load/echo.ts: Killed by nobody"],
    [
      "error: The module's source code could not be parsed\n at x",
      "Cannot run load/echo.ts: The module's source code could not be parsed",
    ],
  ];
  for (const [output, message] of cases) {
    const error = typeError(output, WHERE);
    assertEquals([error.exitCode, error.message], [2, message]);
  }
});

Deno.test("typeError() does not blame the scenario for an error in okline", pure, () => {
  const error = typeError(OWN, WHERE);
  assertEquals([error.exitCode, error.message], [
    1,
    "Cannot run load/echo.ts: it is not at fault, but okline itself does not pass the type check: " +
    "TS2339: Property 'name' does not exist at /opt/okline/cli/loadtest/run.ts:284:13",
  ]);
});

Deno.test("checkedImports() gives scenarios the library in place of the program", pure, () => {
  const config = {
    name: "@okline/okline",
    imports: { "@std/assert": "npm:deno-std" },
    exports: {
      ".": "./mod.ts",
      "./loadtest": "./cli/loadtest/package_export.ts",
      "./socket": "./socket/mod.ts",
    },
  };
  assertEquals(checkedImports(config, "file:///opt/okline/"), {
    "@std/assert": "npm:deno-std",
    "@okline/okline": "file:///opt/okline/mod.ts",
    "@okline/okline/loadtest": "file:///opt/okline/loadtest/mod.ts",
    "@okline/okline/socket": "file:///opt/okline/socket/mod.ts",
    "file:///opt/okline/cli/loadtest/package_export.ts": "file:///opt/okline/loadtest/mod.ts",
  });
});
