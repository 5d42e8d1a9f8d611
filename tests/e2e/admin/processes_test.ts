import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import type { Connection } from "../../../socket/connection.ts";
import { askAdmin } from "../../_util/admin/admin_client.ts";
import { askUntil } from "../../_util/programs/installed.ts";
import { ServerProcess } from "../../_util/programs/program.ts";

interface Row {
  readonly id: number;
  readonly address: string;
  readonly reason?: string;
  readonly bytesIn: number;
}

Deno.test("server.ts relay --processes --admin shows and controls all processes at one address", async () => {
  await using server = await ServerProcess.start("relay", "--processes", "2", "--admin", "127.0.0.1:0");
  const { host, port } = await server.next("admin");
  const admin = { hostname: String(host), port: Number(port) };
  const get = async (path: string) => JSON.parse((await askAdmin(admin, path)).text);
  const post = async (path: string) => JSON.parse((await askAdmin(admin, path, { method: "POST" })).text);
  const clients: Connection[] = [];
  try {
    // The kernel spreads connections over the processes.
    for (let count = 0; count < 32; count++) clients.push(await connect({ port: server.port }));
    const rows = async (query: string): Promise<readonly Row[]> =>
      (await get(`/connections?${query}`)).connections;
    const list = await askUntil(() => rows("limit=100"), ({ length }) => length === 32);
    const addresses = new Set(clients.map(({ local }) => `127.0.0.1:${local.port}`));
    assertEquals(new Set(list.map(({ address }) => address)), addresses);
    assertEquals(new Set(list.map(({ id }) => id)).size, 32);
    assertEquals(
      new Set(list.map(({ id }) => id % 1000)),
      new Set([0, 1]),
      "both processes have connections",
    );

    // Pages and sorting are over all processes.
    const pages = [...await rows("sort=address&limit=20"), ...await rows("sort=address&limit=20&offset=20")];
    assertEquals(pages.map(({ address }) => address), [...addresses].sort());

    // Closing reaches the right process.
    const ended = new Set<Connection>();
    for (const part of [0, 1]) {
      const { id, address } = list.find(({ id }) => id % 1000 === part)!;
      const client = clients.find(({ local }) => address === `127.0.0.1:${local.port}`)!;
      ended.add(client);
      const heard = Array.fromAsync(client);
      assertEquals(await post(`/connections/${id}/close`), { closed: id, reason: "local" });
      assertEquals(await heard, ["error closed by the operator"]);
      const [closed] = await rows(`state=closed&id=${id}`);
      assertEquals([closed!.address, closed!.reason], [address, "local"]);
      assertEquals(await rows(`id=${id}`), []);
    }
    assertEquals(await post("/connections/999999/close"), { error: "No open connection has the id 999999" });

    // Metrics are sums, with bytes and the times to the oks.
    clients.find((client) => !ended.has(client))!.send("message hello");
    const metrics = await askUntil(
      async () => (await askAdmin(admin, "/metrics")).text,
      (text) => /^okline_messages_total [1-9]/m.test(text) && /^okline_connections 30$/m.test(text),
    );
    assertStringIncludes(metrics, 'okline_connections_closed_total{reason="local"} 2\n');
    const bytes = await askUntil(
      async () => (await askAdmin(admin, "/metrics")).text,
      (text) => /^okline_bytes_total\{direction="in"\} 14$/m.test(text),
    );
    assert(Number(/^okline_event_loop_lag_seconds_count (\d+)$/m.exec(bytes)![1]) > 0);
    assertEquals((await get("/state")).connections, 30);

    // Limits reach all of them.
    assertEquals((await post("/limits?max-connections=1"))["max-connections"], "1");
    const refused = await connect({ port: server.port });
    clients.push(refused);
    assertEquals(await Array.fromAsync(refused), ["error busy: 1 connection is open"]);
  } finally {
    for (const client of clients) client.abort({ type: "local", why: "over" });
  }
});
