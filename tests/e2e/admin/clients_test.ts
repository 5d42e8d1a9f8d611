import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import { askAdmin } from "../../_util/admin/admin_client.ts";
import { askUntil } from "../../_util/programs/installed.ts";
import { ServerProcess } from "../../_util/programs/program.ts";

const CLIENTS = 10_000;
const BATCH = 500;

/** Descriptors of a process. */
function descriptorsOf(pid: unknown): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

Deno.test({
  name: "server.ts --admin refuses 10,000 clients that never finish a request, and the relay goes on",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await ServerProcess.start("relay", "--admin", "127.0.0.1:0");
    const { host, port } = await server.next("admin");
    const admin = { hostname: String(host), port: Number(port) };
    await using client = await connect({ port: server.port });
    const lines = client[Symbol.asyncIterator]();
    const exchange = async (text: string): Promise<void> => {
      client.send(`message ${text}`);
      assertEquals((await lines.next()).value, `message ${text}`);
      client.send(`ok ${text}`);
      assertEquals((await lines.next()).value, `ok ${text}`);
    };
    const before = descriptorsOf(server.pid);
    const half = new TextEncoder().encode("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    const slow: Deno.Conn[] = [];
    try {
      for (let count = 0; count < CLIENTS; count += BATCH) {
        await Promise.all(Array.from({ length: BATCH }, async () => {
          const conn = await Deno.connect(admin);
          slow.push(conn);
          // Most are closed before they have written it.
          await conn.write(half).catch((error) => assert(error instanceof Error));
        }));
        await exchange(`${count}`);
        // 64 clients at most, and those that the kernel has queued.
        assert(
          descriptorsOf(server.pid) - before < 200,
          `${descriptorsOf(server.pid) - before} more descriptors`,
        );
      }
      // The slow ones lose their places, though they still hold their ends.
      const ready = await askUntil(() => askAdmin(admin, "/readyz"), ({ status }) => status === 200);
      assertEquals(ready.text, "ok\n");
      await exchange("after");
    } finally {
      for (const conn of slow) conn.close();
    }
  },
});
