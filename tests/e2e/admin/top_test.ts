import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import { denoRun, run, ServerProcess } from "../../_util/programs/program.ts";
import { unusedAddress } from "../../_util/network/proxy_backend.ts";

async function withRelay(use: (admin: string, server: ServerProcess) => Promise<void>): Promise<void> {
  await using server = await ServerProcess.start("relay", "--admin", "127.0.0.1:0");
  const { host, port } = await server.next("admin");
  await use(`${host}:${port}`, server);
}

Deno.test("client.ts top prints the connections of a server once without a terminal", async () => {
  await withRelay(async (admin, server) => {
    await using quiet = await connect({ port: server.port });
    await using busy = await connect({ port: server.port });
    busy.send("message hello");
    await server.until(({ connections, messages }) => connections === 2 && messages === 1);
    const { code, out } = await run(denoRun("client.ts", ["top", "--admin", admin]));
    assertEquals(code, 0);
    const lines = out.split("\n");
    assertStringIncludes(lines[0]!, "relay, ready: 2 connections, 1 pending");
    const rows = lines.filter((line) => line.includes("127.0.0.1:"));
    assertStringIncludes(rows[0]!, `127.0.0.1:${busy.local.port}`);
    assertStringIncludes(rows[1]!, `127.0.0.1:${quiet.local.port}`);

    const json = await run(denoRun("client.ts", [
      ...["top", "--admin", admin, "--json", "--sort", "id", "--address", `:${busy.local.port}`],
    ]));
    const { event, state, list } = JSON.parse(json.out);
    assertEquals([event, state.connections, list.matched, list.connections[0].pending], ["top", 2, 1, 1]);
  });
});

Deno.test("client.ts top prints one line and exits with 1 when nothing can be read", async () => {
  await withRelay(async (_, server) => {
    // The relay itself speaks no HTTP.
    const relay = `127.0.0.1:${server.port}`;
    const { code, out, err } = await run(denoRun("client.ts", ["top", "--admin", relay]));
    assertEquals([code, out], [1, ""]);
    assertEquals(
      err,
      `error: Cannot read the connections of ${relay}: expected the admin server of okline\n`,
    );
  });
  const closed = await unusedAddress();
  const nobody = `${closed.hostname}:${closed.port}`;
  const refused = await run(denoRun("client.ts", ["top", "--admin", nobody]));
  assertEquals(refused.err, `error: Cannot read the connections of ${nobody}: refused\n`);
  await using udp = await ServerProcess.start("udp", "--admin", "127.0.0.1:0");
  const { host, port } = await udp.next("admin");
  const { code, err } = await run(denoRun("client.ts", ["top", "--admin", `${host}:${port}`]));
  assertEquals([code, err], [
    1,
    `error: Cannot read the connections of ${host}:${port}: this program serves none\n`,
  ]);
  assertEquals((await run(denoRun("client.ts", ["top"]))).code, 2);
});

Deno.test({
  name: "client.ts top follows a server on a terminal until q is pressed",
  // `script` of util-linux gives a program a terminal.
  ignore: Deno.build.os !== "linux" || !isFile("/usr/bin/script"),
  fn: async () => {
    await withRelay(async (admin) => {
      const command = denoRun("client.ts", ["top", "--admin", admin, "--interval", "200ms"]).join(" ");
      const child = new Deno.Command("/usr/bin/script", {
        args: ["-qec", command, "/dev/null"],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const keys = child.stdin.getWriter();
      let shown = "";
      let pressed = 0;
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        shown += text;
        if (pressed === 0 && shown.includes("in ↓")) pressed += await press(">");
        if (pressed === 1 && shown.includes("out ↓")) pressed += await press("q");
      }
      async function press(key: string): Promise<number> {
        await keys.write(new TextEncoder().encode(key));
        return 1;
      }
      assertEquals([(await child.status).code, pressed], [0, 2]);
      assertStringIncludes(shown, "relay, ready: 0 connections");
      assertEquals(shown.endsWith("\x1b[?25h\x1b[?1049l"), true);
      await keys.close().catch(() => {}); // It has ended.
    });
  },
});

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
