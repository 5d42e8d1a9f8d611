import { assertThrows } from "@std/assert";
import { assertCompanions } from "../../../cli/shared/companions.ts";
import { UsageError } from "../../../cli/terminal/exit.ts";
import { pure } from "../../_util/permissions.ts";

const COMPANIONS = { adminToken: "admin", adminName: "admin", monitor: "control" };

function check(options: object, given: readonly string[] = Object.keys(options)): void {
  assertCompanions({ options, given: new Set(given) }, COMPANIONS);
}

Deno.test("assertCompanions() names an option when the one that it needs is missing", pure, () => {
  const cases: [options: object, message: string][] = [
    [{ adminToken: "x" }, "Cannot use --admin-token without --admin"],
    [{ adminName: ["x"] }, "Cannot use --admin-name without --admin"],
    [{ adminName: ["x"], admin: undefined }, "Cannot use --admin-name without --admin"],
    [{ monitor: true, control: false }, "Cannot use --monitor without --control"],
  ];
  for (const [options, message] of cases) assertThrows(() => check(options), UsageError, message);
});

Deno.test("assertCompanions() accepts options that are off, or have what they need", pure, () => {
  check({});
  check({ adminName: [], monitor: false });
  check({ adminName: ["x"], adminToken: "x", admin: {}, monitor: true, control: true });
});

Deno.test("assertCompanions() accepts a value from the environment without its companion", pure, () => {
  check({ adminToken: "x", admin: undefined }, []);
});
