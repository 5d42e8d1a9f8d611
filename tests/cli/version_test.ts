import { assertEquals } from "@std/assert";
import { programName, VERSION } from "../../cli/version.ts";
import config from "../../deno.json" with { type: "json" };
import { pure } from "../_util/permissions.ts";

Deno.test("VERSION is the one in deno.json", pure, () => {
  assertEquals(VERSION, config.version);
});

Deno.test("programName() names the script where it is not compiled", pure, () => {
  assertEquals(programName("server"), "server.ts");
});
