import { assertEquals } from "@std/assert";
import { adviseWithoutServer } from "../../../cli/shared/no_server.ts";

const permissions = "none";

Deno.test.each([
  "refused",
  "unreachable",
  "timeout after 10 s",
  "failed to lookup address information: Name or service not known",
  "No such file or directory (os error 2)",
])("adviseWithoutServer() returns advice for the error: %s", { permissions }, (why) => {
  const advice = adviseWithoutServer(`Cannot connect to 127.0.0.1:1: ${why}`, "--port");
  assertEquals(advice, "Start the server first, or correct --port");
});

Deno.test("adviseWithoutServer() returns undefined when something answers", { permissions }, () => {
  for (const why of ["the certificate is not trusted", "refused by the server", "Requires net access"]) {
    assertEquals(adviseWithoutServer(`Cannot connect to 127.0.0.1:1: ${why}`, "--port"), undefined);
  }
});
