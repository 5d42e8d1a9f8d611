/** How a server ends that is told to: what it says, and its exit code. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../socket/mod.ts";
import { ServerProcess } from "../helpers/program.ts";

Deno.test("server.ts says what it cut off at --drain-timeout, and ends with nothing and exit 0", async () => {
  await using server = await ServerProcess.start("relay", "--drain-timeout", "300ms");
  await using client = await connect({ port: server.port });
  const lines = client.lines();
  client.send("message never answered");
  assertEquals((await lines.next()).value, "message never answered");
  const { code, err } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(
    err,
    "warning: Not all ended in order: connections cut at the drain timeout: 1, messages left without their ok: 1",
  );
});

Deno.test("server.ts --verbose names the peers that it refuses", async () => {
  await using server = await ServerProcess.start("echo", "--max-connections", "1", "--verbose");
  await using first = await connect({ port: server.port });
  first.send("hello");
  await first.lines().next();
  await using second = await connect({ port: server.port });
  assertEquals((await second.lines().next()).value, "error busy: 1 connections are open");
  await server.remarked("refused, busy: 1 connections are open");
  const { refusals } = await server.state();
  assertEquals(refusals, { "max-connections": 1, "max-connections-per-ip": 0, "address": 0 });
});
