/** How a server ends that is told to: what it says, and its exit code. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../socket/mod.ts";
import { ServerProcess } from "../helpers/program.ts";

Deno.test("server.ts says what it cut off at --drain-timeout, and ends with nothing and exit 0", async () => {
  await using server = await ServerProcess.start("relay", "--drain-timeout", "300ms", "--verbose");
  await using client = await connect({ port: server.port });
  const lines = client.lines();
  client.send("message never answered");
  assertEquals((await lines.next()).value, "message never answered");
  const { code, err } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(err, "closed, timeout: drain for 300 ms");
  assertStringIncludes(
    err,
    "warning: Not all ended in order: connections cut at the drain timeout: 1, messages left without their ok: 1",
  );
});
