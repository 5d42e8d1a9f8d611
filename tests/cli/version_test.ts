import { assertEquals } from "@std/assert";
import { programName, VERSION } from "../../cli/version.ts";
import config from "../../deno.json" with { type: "json" };

Deno.test("VERSION is the one in deno.json", { permissions: "none" }, () => {
  assertEquals(VERSION, config.version);
});

Deno.test("programName() names the script where it is not compiled", { permissions: "none" }, () => {
  assertEquals(programName("server"), "server.ts");
});
