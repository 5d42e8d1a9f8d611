/** The end of a server on a signal: its output, and its exit code. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { connect } from "../../../socket/mod.ts";
import { denoRun, ServerProcess } from "../../_util/programs/program.ts";

Deno.test("server.ts reports what it cut off at --drain-timeout, and exits with 0", async () => {
  await using server = await ServerProcess.start("relay", "--drain-timeout", "300ms", "--verbose");
  await using client = await connect({ port: server.port });
  const lines = client[Symbol.asyncIterator]();
  client.send("message never answered");
  assertEquals((await lines.next()).value, "message never answered");
  const { code, err } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(err, "closed, timeout: drain for 300 ms");
  assertStringIncludes(
    err,
    "warning: Not everything ended cleanly: connections cut off at the drain timeout: 1, messages left without an ok: 1",
  );
});

Deno.test({
  name: "server.ts drains when its terminal hangs up",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const args = ["relay", "--host", "127.0.0.1", "--port", "0", "--verbose"];
    const command = `exec ${denoRun("server.ts", args).join(" ")}`;
    const terminal = new Deno.Command("socat", {
      args: ["-u", `SYSTEM:${command},pty,setsid,ctty,stderr`, "STDOUT"],
      stdout: "piped",
    }).spawn();
    const said = terminal.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    const reader = said.getReader();
    const { value: listening = "" } = await reader.read();
    const port = Number(/^listening on .*:([0-9]+)$/.exec(listening)?.[1]);

    await using client = await connect({ port });
    const lines = client[Symbol.asyncIterator]();
    client.send("message hello");
    assertEquals((await lines.next()).value, "message hello");
    terminal.kill("SIGKILL");
    assertEquals((await lines.next()).value, "error server is draining: connections end within 10000 ms");
    client.send("ok hello");
    assertEquals((await lines.next()).value, "ok hello");
    assertEquals((await lines.next()).done, true);
    assertEquals((await client.close()).type, "natural");
    await terminal.status;
    await reader.cancel();
  },
});
