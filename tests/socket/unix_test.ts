import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseAddress, parseHost } from "../../socket/address.ts";
import { connect, listen } from "../../socket/mod.ts";
import { formatAddress, unixAddress, unixPath } from "../../socket/network.ts";
import { removeStaleSocket, systemNetwork } from "../../socket/tcp.ts";
import { transportBehaviors } from "../_util/contract/transport_behaviors.ts";
import { TempDir } from "../_util/temp_dir.ts";
import { UNIX_DIFFERENCES, unixNetwork } from "../_util/network/unix_network.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("Unix sockets differ from the contract only in listed behaviors", pure, () => {
  assertEquals([...UNIX_DIFFERENCES].filter((name) => !(name in transportBehaviors)), []);
});

for (const [name, behavior] of Object.entries(transportBehaviors)) {
  if (UNIX_DIFFERENCES.has(name)) continue;
  Deno.test(`${name} (unix)`, async () => {
    await using folder = new TempDir();
    await behavior(unixNetwork(folder.path, systemNetwork));
  });
}

Deno.test("listen() and connect() carry lines over a Unix socket, and remove its file at the end", async () => {
  await using folder = new TempDir();
  const { hostname } = unixAddress(`${folder.path}/echo`);
  const server = listen({ hostnames: [hostname] });
  const remotes: string[] = [];
  const served = server.serve(async (peer) => {
    remotes.push(formatAddress(peer.remote));
    for await (const line of peer) peer.send(line);
  });
  assertEquals(server.addresses.map(formatAddress), [hostname]);
  const client = await connect({ hostname, port: 0 });
  assertEquals(formatAddress(client.remote), hostname);
  client.send("hello");
  for await (const line of client) {
    assertEquals(line, "hello");
    break;
  }
  assertEquals((await client.close()).type, "natural");
  await server.close();
  await served;
  assertEquals(remotes, [hostname]);
  await assertRejects(() => Deno.lstat(`${folder.path}/echo`), Deno.errors.NotFound);
});

Deno.test("listen() throws for a Unix socket that another listener has", async () => {
  await using folder = new TempDir();
  const { hostname } = unixAddress(`${folder.path}/socket`);
  await using _server = listen({ hostnames: [hostname] });
  assertThrows(() => listen({ hostnames: [hostname] }), Deno.errors.AddrInUse);
  await removeStaleSocket(hostname);
  assertThrows(() => listen({ hostnames: [hostname] }), Deno.errors.AddrInUse);
});

Deno.test("removeStaleSocket() removes the socket of a server that was killed, and nothing else", async () => {
  await using folder = new TempDir();
  const path = `${folder.path}/socket`;
  const { hostname } = unixAddress(path);
  await removeStaleSocket(hostname);
  await removeStaleSocket("127.0.0.1");
  // The runtime removes the file of a listener that closes. Under another name it stays, as after a kill.
  const listener = Deno.listen({ transport: "unix", path: `${path}.before` });
  await Deno.rename(`${path}.before`, path);
  listener.close();
  assertEquals((await Deno.lstat(path)).isSocket, true);
  await removeStaleSocket(hostname);
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  await Deno.writeTextFile(path, "precious");
  await removeStaleSocket(hostname);
  assertEquals(await Deno.readTextFile(path), "precious");
});

Deno.test("parseHost() and parseAddress() accept unix:/path up to the kernel's limit", pure, () => {
  const longest = `unix:/${"x".repeat(106)}`;
  for (const host of ["unix:/run/okline", "unix:relative", longest]) {
    assertEquals(parseHost(host), host);
    assertEquals(parseAddress(host), { hostname: host, port: 0 });
    assertEquals(formatAddress(parseAddress(host)), host);
  }
  for (const host of ["unix:", `${longest}x`, "unix:/a\0b"]) {
    assertThrows(() => parseHost(host), RangeError, "unix:/path");
    assertThrows(() => parseAddress(host), RangeError);
  }
});

Deno.test("unixPath() returns undefined for other hosts", pure, () => {
  assertEquals(unixPath("unix:/a"), "/a");
  for (const host of ["127.0.0.1", "::1", "unix", "localhost"]) assertEquals(unixPath(host), undefined);
});
