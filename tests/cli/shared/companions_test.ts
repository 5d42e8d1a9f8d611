import { assertThrows } from "@std/assert";
import { assertCompanions } from "../../../cli/shared/companions.ts";
import { UsageError } from "../../../cli/terminal/exit.ts";
import { pure } from "../../_util/permissions.ts";

const COMPANIONS = { adminName: "admin", monitor: "control" };

Deno.test("assertCompanions() names an option when the one that it needs is missing", pure, () => {
  const cases: [values: object, message: string][] = [
    [{ adminName: ["x"] }, "Cannot use --admin-name without --admin"],
    [{ adminName: ["x"], admin: undefined }, "Cannot use --admin-name without --admin"],
    [{ monitor: true, control: false }, "Cannot use --monitor without --control"],
  ];
  for (const [values, message] of cases) {
    assertThrows(() => assertCompanions(values, COMPANIONS), UsageError, message);
  }
});

Deno.test("assertCompanions() accepts options that are absent, or have what they need", pure, () => {
  assertCompanions({}, COMPANIONS);
  assertCompanions({ adminName: [], monitor: false }, COMPANIONS);
  assertCompanions({ adminName: ["x"], admin: {}, monitor: true, control: true }, COMPANIONS);
});
