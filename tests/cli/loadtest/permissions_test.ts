import { assertEquals, assertThrows } from "@std/assert";
import { assertPermissions } from "../../../cli/loadtest/permissions.ts";
import { FAIR_IO_VARIABLE } from "../../../cli/run_program.ts";
import { ExitError } from "../../../cli/terminal/exit.ts";

const fairIo = { env: [FAIR_IO_VARIABLE], read: [new URL("../../../", import.meta.url)] };
const NEEDS = "it needs all permissions, as in deno run -A loadtest.ts";

Deno.test(
  "assertPermissions() names every missing permission and the command",
  { permissions: "none" },
  () => {
    assertThrows(
      () => assertPermissions(),
      ExitError,
      `Cannot start a load test without --allow-run, --allow-net, --allow-env, and --allow-read: ${NEEDS}`,
    );
  },
);

Deno.test("assertPermissions() accepts the network of the target only", {
  permissions: { net: ["127.0.0.1:8000"], ...fairIo },
}, () => {
  for (
    const [hostname, port, missing] of [
      ["127.0.0.1", 8000, "--allow-run"],
      ["127.0.0.1", 8001, "--allow-run and --allow-net"],
      ["unix:/run/relay", 0, "--allow-run"],
    ] as const
  ) {
    const error = assertThrows(() => assertPermissions({ hostname, port }), ExitError);
    assertEquals(error.message, `Cannot start a load test without ${missing}: ${NEEDS}`);
  }
});

Deno.test("assertPermissions() accepts a program that may start processes and connect", {
  permissions: { run: [Deno.execPath()], net: true, ...fairIo },
}, () => assertPermissions());
