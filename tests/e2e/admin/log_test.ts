import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import { askAdmin } from "../../_util/admin/admin_client.ts";
import { runServer, ServerProcess } from "../../_util/programs/program.ts";

/** The log messages of a server, without what differs from run to run. */
function messagesOf(
  err: string,
): { readonly level: string; readonly message: string; readonly event?: string }[] {
  return err.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("server.ts --log-format json logs JSON lines, and keeps what it prints", async () => {
  await using server = await ServerProcess.start(
    ...["echo", "--admin", "127.0.0.1:0", "--log-format", "json", "--verbose", "--max-connections", "1"],
  );
  const { host, port } = await server.next("admin");
  const client = await connect({ port: server.port });
  await server.until(({ connections }) => connections === 1);
  await using refused = await connect({ port: server.port });
  await Array.fromAsync(refused);
  await client.close();
  await server.until(({ connections, refused }) => connections === 0 && refused === 1);
  await askAdmin({ hostname: String(host), port: Number(port) }, "/suspend", { method: "POST" });
  const { code, out, err } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(out, '{"event":"listening","service":"echo","host":"127.0.0.1",');
  const messages = messagesOf(err);
  const of = (event: string) => messages.filter((message) => message.event === event);
  assertEquals(of("listening")[0]!.message, `listening on 127.0.0.1:${server.port}`);
  assertEquals(of("refused").map(({ level }) => level), ["DEBUG"]);
  assertEquals(of("closed").map(({ level, message }) => [level, message]), [
    ["DEBUG", `127.0.0.1:${client.local.port} closed, natural; 0 bytes in, 0 out`],
  ]);
  assertEquals(of("admin-action").map(({ message }) => message), ["Admin: suspend"]);
  assertEquals(of("draining").map(({ level, message }) => [level, message]), [
    ["INFO", "SIGTERM: draining; repeat to close immediately"],
  ]);
});

Deno.test("server.ts --log-level leaves out messages of lower levels", async () => {
  for (const [level, shown] of [["warning", false], ["info", true]] as const) {
    await using server = await ServerProcess.start("echo", "--log-level", level, "--max-connections", "1");
    const client = await connect({ port: server.port });
    await server.until(({ connections }) => connections === 1);
    await using refused = await connect({ port: server.port });
    await Array.fromAsync(refused);
    await client.close();
    const { err } = await server.stop();
    assertEquals(err.includes("SIGTERM: draining"), shown);
    assertStringIncludes(err, " refused, busy: 1 connection is open\n");
  }
});

Deno.test("server.ts --log-format json logs the error that ends it", async () => {
  await using first = await ServerProcess.start("echo");
  const { code, out, err } = await runServer(["echo", "--port", `${first.port}`, "--log-format", "json"]);
  assertEquals([code, out], [1, ""]);
  const [{ level, message }] = messagesOf(err) as [{ level: string; message: string }];
  assertEquals([level, message], [
    "ERROR",
    `Cannot listen on 127.0.0.1 port ${first.port}: the port is in use; choose another with --port, or a free ` +
    "one with --port 0",
  ]);
});
