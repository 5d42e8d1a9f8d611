import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import type { Address } from "../../../socket/network.ts";
import { askAdmin } from "../../_util/admin/admin_client.ts";
import { askUntil } from "../../_util/programs/installed.ts";
import { runServer, ServerProcess } from "../../_util/programs/program.ts";

const SERVICES: Readonly<Record<string, readonly string[]>> = {
  relay: [],
  echo: ["--verbose"],
  hello: [],
  chat: [],
  http: [],
  files: ["--root", "."],
  udp: [],
  proxy: ["--to", "127.0.0.1:1"],
  balance: ["--to", "127.0.0.1:1", "--queue-timeout", "100ms"],
};

async function adminOf(server: ServerProcess): Promise<Address> {
  const { host, port } = await server.next("admin");
  return { hostname: String(host), port: Number(port) };
}

for (const [name, options] of Object.entries(SERVICES)) {
  Deno.test(`server.ts ${name} --admin shows its state, and drains when asked`, async () => {
    await using server = await ServerProcess.start(name, "--admin", "127.0.0.1:0", ...options);
    const admin = await adminOf(server);
    assertEquals((await askAdmin(admin, "/readyz")).text, "ok\n");
    assertEquals(JSON.parse((await askAdmin(admin, "/healthz")).text).name, name);
    const { timers: _, ...state } = JSON.parse((await askAdmin(admin, "/state")).text);
    const { timers: __, ...expected } = await server.state();
    assertEquals(state, expected);
    assertStringIncludes((await askAdmin(admin, "/metrics")).text, `okline_build_info{service="${name}"`);
    if (name !== "udp") {
      const client = await connect({ port: server.port });
      await server.until(({ accepted }) => accepted === 1);
      const { connections } = JSON.parse((await askAdmin(admin, "/connections")).text);
      const { connections: closed } = JSON.parse((await askAdmin(admin, "/connections?state=closed")).text);
      const [{ address }] = [...connections, ...closed];
      assertEquals(address, `127.0.0.1:${client.local.port}`);
      await client.close();
      await server.until(({ connections }) => connections === 0);
      const { connections: ended } = JSON.parse((await askAdmin(admin, "/connections?state=closed")).text);
      assertEquals(ended.map(({ address }: { address: string }) => address), [address]);
    }
    const drained = await askAdmin(admin, "/drain?wait=1", { method: "POST" });
    assertEquals([drained.status, JSON.parse(drained.text).drained], [200, true]);
    const { code, err } = await server.ended();
    assertEquals(code, 0);
    assertStringIncludes(err, "Admin: draining; repeat to close immediately\n");
  });
}

Deno.test("server.ts --admin closes the service when its address is in use", async () => {
  await using first = await ServerProcess.start("echo", "--admin", "127.0.0.1:0");
  const { port } = await adminOf(first);
  const { code, err, out } = await runServer(["echo", "--port", "0", "--admin", `127.0.0.1:${port}`]);
  assertEquals([code, out], [1, ""]);
  assertStringIncludes(
    err,
    `error: Cannot start the admin server at 127.0.0.1:${port}: the port is in use; choose `,
  );
  assertEquals(err.trim().split("\n").length, 1);
});

Deno.test("server.ts --admin-token protects changes", async () => {
  await using server = await ServerProcess.start("echo", "--admin", "127.0.0.1:0", "--admin-token", "s3cret");
  const admin = await adminOf(server);
  const suspend = async (headers: Record<string, string>) =>
    (await askAdmin(admin, "/suspend", { method: "POST", headers })).status;
  assertEquals(await suspend({}), 401);
  assertEquals(await suspend({ Authorization: "Bearer wrong" }), 401);
  assertEquals(await suspend({ Authorization: "Bearer s3cret", Origin: "http://evil.example" }), 403);
  assertEquals(await suspend({ Authorization: "Bearer s3cret", Host: "evil.example" }), 421);
  assertEquals((await server.state()).suspended, false);
  assertEquals(await suspend({ Authorization: "Bearer s3cret" }), 200);
  assertEquals((await server.state()).suspended, true);
});

Deno.test("server.ts --admin changes limits while the relay serves, and so does its control channel", async () => {
  await using server = await ServerProcess.start("relay", "--admin", "127.0.0.1:0", "--idle-timeout", "1m");
  const admin = await adminOf(server);
  const post = async (query: string) => {
    const { status, text } = await askAdmin(admin, `/limits?${query}`, { method: "POST" });
    return [status, JSON.parse(text)];
  };
  const limits = async () => JSON.parse((await askAdmin(admin, "/limits")).text);
  assertEquals((await limits())["idle-timeout"], "1m");
  const [status, changed] = await post("max-connections=1&max-in-flight=1");
  assertEquals([status, changed["max-connections"], changed["idle-timeout"]], [200, "1", "1m"]);
  assertEquals(changed, await limits());
  const [refused, { error }] = await post("max-connections=9&max-line=1KiB");
  assertEquals(refused, 400);
  assertStringIncludes(error, "Cannot change max-line while the server runs: only max-connections, ");
  assertEquals(await limits(), changed);

  await using client = await connect({ port: server.port });
  await server.until(({ connections }) => connections === 1);
  const lines = client[Symbol.asyncIterator]();
  client.send("message a");
  assertEquals((await lines.next()).value, "message a");
  client.send("message b");
  assertEquals((await lines.next()).value, "error too many messages in flight (limit 1)");
  await using second = await connect({ port: server.port });
  assertEquals(await Array.fromAsync(second), ["error busy: 1 connection is open"]);

  await server.say("limits max-connections=2");
  assertEquals((await server.next("limits"))["max-connections"], "2");
  assertEquals((await limits())["max-connections"], "2");
  await server.say("limits max-connections=x");
  assertStringIncludes(
    String((await server.next("error")).message),
    "Cannot set max-connections: expected an integer of at least 0",
  );
});

Deno.test("server.ts proxy --admin lists connections that have closed, and their bytes", async () => {
  await using echo = await ServerProcess.start("echo");
  await using proxy = await ServerProcess.start(
    "proxy",
    "--to",
    `127.0.0.1:${echo.port}`,
    "--admin",
    "127.0.0.1:0",
  );
  const admin = await adminOf(proxy);
  const client = await connect({ port: proxy.port });
  client.send("hello");
  for await (const line of client) {
    assertEquals(line, "hello");
    break;
  }
  await client.close();
  await proxy.until(({ connections }) => connections === 0);
  const { connections: [closed] } = JSON.parse((await askAdmin(admin, "/connections?state=closed")).text);
  assertEquals([closed.reason, closed.bytesIn, closed.bytesOut], ["natural", 6, 6]);
});

Deno.test({
  name: "server.ts --admin answers again when descriptors are free again",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = await ServerProcess.startWithin(64, "echo", "--admin", "127.0.0.1:0");
    const admin = await adminOf(server);
    const peers: Deno.Conn[] = [];
    try {
      for (let count = 0; count < 64; count++) {
        peers.push(await Deno.connect({ hostname: "127.0.0.1", port: server.port }));
      }
      await server.until(({ outOfDescriptors }) => Number(outOfDescriptors) > 0);
      // It cannot be accepted now.
      const waiting = askAdmin(admin, "/livez");
      for (const peer of peers.splice(0)) peer.close();
      assertEquals((await waiting).text, "ok\n");
      const ready = await askUntil(() => askAdmin(admin, "/readyz"), ({ status }) => status === 200);
      assertEquals(ready.text, "ok\n");
    } finally {
      for (const peer of peers) peer.close();
    }
  },
});
