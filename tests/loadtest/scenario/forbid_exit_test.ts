import { assertStrictEquals, assertThrows } from "@std/assert";
import process from "node:process";
import { ExitForbiddenError, forbidExit } from "../../../loadtest/scenario/forbid_exit.ts";

Deno.test("forbidExit() makes every way to exit throw until it is disposed of", () => {
  const { exit } = Deno;
  const { exitCode } = process;
  {
    using _ = forbidExit();
    assertThrows(() => Deno.exit(3), ExitForbiddenError, "Cannot call Deno.exit(3): it would lose");
    assertThrows(() => Deno.exit(), ExitForbiddenError, "Cannot call Deno.exit(0): it would lose");
    assertThrows(() => process.exit(4), ExitForbiddenError, "Cannot call Deno.exit(4): it would lose");
  }
  process.exitCode = exitCode; // `process.exit()` has set it before it tried to exit.
  assertStrictEquals(Deno.exit, exit);
});
