import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET } from "../../native/abi.ts";
import { encodeSocketAddress } from "../../native/socket_address.ts";
import { ownAddress } from "../_util/network/own_address.ts";
import { transportBehaviors } from "../_util/contract/transport_behaviors.ts";
import { foreign, libc, network as maybeNetwork } from "../_util/native/native.ts";
import { TempDir } from "../_util/temp_dir.ts";
import { readText, text } from "../_util/network/transport_pair.ts";
import { UNIX_DIFFERENCES, unixNetwork } from "../_util/network/unix_network.ts";
import { until } from "../_util/until.ts";

const network = maybeNetwork!;
const withFiles = { ...foreign, permissions: { ffi: true, read: true, write: true } } as const;

for (const [name, behavior] of Object.entries(transportBehaviors)) {
  if (UNIX_DIFFERENCES.has(name)) continue;
  Deno.test(`${name} (native unix)`, withFiles, async () => {
    await using folder = new TempDir();
    await behavior(unixNetwork(folder.path, network));
  });
}

Deno.test(
  "NativeNetwork.listen() removes the file of a Unix socket that is closed, and throws for one in use",
  withFiles,
  async () => {
    await using folder = new TempDir();
    const hostname = `unix:${folder.path}/socket`;
    const listener = network.listen({ hostname, port: 0 });
    assertEquals(listener.address, { hostname, port: 0 });
    assertThrows(() => network.listen({ hostname, port: 0 }), Deno.errors.AddrInUse);
    const near = await network.connect({ hostname, port: 0 });
    const far = await listener.accept();
    assertEquals([near.local, near.remote, far.local, far.remote], Array(4).fill({ hostname, port: 0 }));
    for (const each of [near, far, listener]) each.close();
    assertEquals(await folder.names(), []);
    await assertRejects(() => network.connect({ hostname, port: 0 }), Deno.errors.NotFound);
  },
);

Deno.test("NativeNetwork.connect() waits for room in the queue of a Unix listener", withFiles, async () => {
  await using folder = new TempDir();
  const hostname = `unix:${folder.path}/socket`;
  const listener = network.listen({ hostname, port: 0, backlog: 1 });
  const dialing = Array.from({ length: 8 }, () => network.connect({ hostname, port: 0 }));
  for (let accepted = 0; accepted < 8; accepted++) (await listener.accept()).close();
  for (const near of await Promise.all(dialing)) near.close();
  listener.close();
});

Deno.test("NativeNetwork.listen() on :: accepts IPv4, too, unless ipv6Only is set", foreign, async () => {
  const dual = network.listen({ hostname: "::", port: 0 });
  const near = await network.connect({ port: dual.address.port });
  const far = await dual.accept();
  assertEquals(far.local.hostname, "::ffff:127.0.0.1");
  for (const each of [near, far, dual]) each.close();
  const only = network.listen({ hostname: "::", port: 0, ipv6Only: true });
  const four = { hostname: ownAddress(), port: only.address.port };
  await assertRejects(() => network.connect(four), Deno.errors.ConnectionRefused);
  const six = await network.connect({ hostname: "::1", port: only.address.port });
  assertEquals(six.remote.hostname, "::1");
  six.close();
  only.close();
});

Deno.test("NativeNetwork.listen() resolves a host name, and throws for an unknown one", foreign, () => {
  const listener = network.listen({ hostname: "localhost", port: 0 });
  assertEquals(["127.0.0.1", "::1"].includes(listener.address.hostname), true);
  listener.close();
  assertThrows(() => network.listen({ hostname: "nobody.invalid", port: 0 }), Error, "failed to lookup");
});

Deno.test("NativeNetwork.listen() takes an inherited listening socket", foreign, async () => {
  const { bytes } = encodeSocketAddress({ hostname: "127.0.0.1", port: 0 })!;
  const descriptor = libc!.socket(AF_INET);
  libc!.bind(descriptor, bytes);
  libc!.listen(descriptor, 1);
  const listener = network.listen({ port: 0, descriptor });
  const near = await network.connect({ port: listener.address.port });
  const far = await listener.accept();
  await far.write(text("inherited"));
  assertEquals(await readText(near), "inherited");
  for (const each of [near, far, listener]) each.close();
});

Deno.test(
  "NativeNetwork.listen() throws for a descriptor that is not a listening socket, and leaves it open",
  foreign,
  () => {
    const descriptor = libc!.socket(AF_INET);
    for (const bad of [descriptor, -1, 1.5, 1_000_000]) {
      assertThrows(() => network.listen({ port: 0, descriptor: bad }), TypeError, `descriptor ${bad}`);
    }
    assertEquals(libc!.adopt(descriptor), 0);
    libc!.close(descriptor);
  },
);

Deno.test(
  "NativeNetwork.connect() rejects with the signal's reason when it aborts on the way",
  foreign,
  async () => {
    // Its queue is full, so that the kernel drops the next SYN and the connection stays on its way.
    const listener = network.listen({ port: 0, backlog: 0 });
    const { port } = listener.address;
    const before = network.stats().open;
    const first = await network.connect({ port });
    const abort = new AbortController();
    const reason = new TypeError("enough");
    const connecting = [1, 2, 3].map(() =>
      assertRejects(() => network.connect({ port, signal: abort.signal }))
    );
    await until(() => network.stats().open >= before + 4 || network.stats().waiting > 0);
    abort.abort(reason);
    const failures = await Promise.all(connecting.slice(-1));
    assertStrictEquals(failures[0], reason);
    await Promise.all(connecting);
    first.close();
    listener.close();
    assertEquals(network.stats().open, before - 1);
  },
);

// A lookup cannot be canceled: it ends by itself after the test.
const outlasting = { ...foreign, sanitizeOps: false } as const;

Deno.test(
  "NativeNetwork.connect() rejects with the signal's reason during a lookup",
  outlasting,
  async () => {
    const abort = new AbortController();
    const reason = new TypeError("enough");
    const failed = assertRejects(() =>
      network.connect({ hostname: "nobody.invalid", port: 1, signal: abort.signal })
    );
    abort.abort(reason);
    assertStrictEquals(await failed, reason);
  },
);

// The kernel rounds the table up to a power of two, and never shrinks it.
Deno.test({
  name: "NativeNetwork.listen() makes room for the descriptors of a burst of connections",
  ignore: foreign.ignore,
  fn: async () => {
    network.listen({ port: 0 }).close();
    const status = await Deno.readTextFile("/proc/self/status");
    const [, size] = /^FDSize:\s+(\d+)$/m.exec(status) ?? [];
    assert(Number(size) >= 1024, `${size} descriptors`);
  },
});
