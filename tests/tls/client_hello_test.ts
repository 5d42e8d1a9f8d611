import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isClientHello } from "../../internal/tls_hello.ts";
import { ClientHello } from "../../tls/client_hello.ts";
import { listen } from "../../socket/listen.ts";
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { TlsNetwork } from "../../tls/mod.ts";
import { pure } from "../_util/permissions.ts";

function read(bytes: Uint8Array): ClientHello {
  const hello = new ClientHello();
  hello.read(bytes);
  return hello;
}

const requestedName = (bytes: Uint8Array): string | undefined => read(bytes).requestedName();
const outdatedVersion = (bytes: Uint8Array): string | undefined => read(bytes).outdatedVersion();

/** The bytes, and a count of all reads and copies of them. */
function counted(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly reads: () => number } {
  let reads = 0;
  const get = (target: Uint8Array, key: string | symbol): unknown => {
    if (typeof key === "string" && /^\d+$/.test(key)) reads++;
    if (key !== "subarray") return Reflect.get(target, key, target);
    return (start?: number, end?: number) => {
      const part = target.subarray(start, end);
      reads += part.length;
      return part;
    };
  };
  return { bytes: new Proxy(bytes, { get }), reads: () => reads };
}

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const uint16 = (value: number): number[] => [value >> 8, value & 0xff];
const vector = (bytes: readonly number[]): number[] => [...uint16(bytes.length), ...bytes];
const extension = (type: number, body: readonly number[]): number[] => [...uint16(type), ...vector(body)];
const nameList = (name: string, type = 0): number[] => vector([type, ...vector(ascii(name))]);

/**
 * A hello with these extensions, by the letter of RFC 8446, 4.1.2; `size` is the most that a record carries, `version` what
 * it says besides them.
 */
function hello(extensions: readonly number[], { size = 2 ** 14, version = 0x0303 } = {}): Uint8Array {
  const body = [
    ...uint16(version),
    ...Array(32).fill(7),
    1,
    9,
    ...vector([0x13, 1]),
    1,
    0,
    ...vector(extensions),
  ];
  const message = [1, 0, ...uint16(body.length), ...body];
  const records: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    records.push(0x16, 3, 1, ...vector(message.slice(at, at + size)));
  }
  return Uint8Array.from(records);
}

const NAMED = [...extension(10, [0, 2, 0, 29]), ...extension(0, nameList("Chat.Example.org"))];

Deno.test("requestedName() returns the name in lower case when the hello is complete", pure, () => {
  for (const size of [2 ** 14, 50, 7, 1]) {
    const bytes = hello(NAMED, { size });
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(requestedName(bytes.subarray(0, length)), undefined, `${length} bytes`);
    }
    assertEquals(requestedName(bytes), "chat.example.org");
    assertEquals(requestedName(Uint8Array.from([...bytes, 0x17, 3, 3])), "", "what follows is no handshake");
  }
});

Deno.test("requestedName() reads at most 16 KiB", pure, () => {
  const endless = hello(extension(21, Array(20_000).fill(0)));
  assertEquals(requestedName(endless.subarray(0, 16 * 1024 - 1)), undefined);
  assertEquals(requestedName(endless.subarray(0, 16 * 1024)), "");
});

Deno.test("requestedName() returns no name when there is none, or it is malformed", pure, () => {
  const cases: Record<string, Uint8Array> = {
    "no extensions": hello([]),
    "others alone": hello(extension(10, [0, 2, 0, 29])),
    "another type of name": hello(extension(0, nameList("a.test", 1))),
    "two names": hello(extension(0, vector([0, ...vector(ascii("a.test")), 0, ...vector(ascii("b.test"))]))),
    "an empty name": hello(extension(0, nameList(""))),
    "no names": hello(extension(0, vector([]))),
    "an empty extension": hello(extension(0, [])),
    "control characters": hello(extension(0, nameList("a\x1b[31m.test"))),
    "a line end": hello(extension(0, nameList("a.test\n"))),
    "bytes over ASCII": hello(extension(0, nameList("ä.test"))),
    "a name that is too long": hello(extension(0, nameList("a".repeat(256)))),
    "a length past the end": hello([...uint16(0), ...uint16(99), 0, 0]),
    "a name past the end": hello(extension(0, vector([0, ...uint16(9), ...ascii("a.test")]))),
    "another message": Uint8Array.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0]),
    "an empty hello": Uint8Array.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0]),
    "an empty record": Uint8Array.from([0x16, 3, 1, 0, 0]),
    "another record": Uint8Array.from([0x15, 3, 1, 0, 2, 2, 40]),
    "a hello without an end": Uint8Array.from([0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, ...Array(16_380)]),
  };
  for (const [what, bytes] of Object.entries(cases)) assertEquals(requestedName(bytes), "", what);
});

Deno.test("ClientHello.read() reads each byte once, however small records and pieces are", pure, () => {
  const bytes = hello(extension(21, Array(2600).fill(0)), { size: 1 });
  assert(bytes.length > 15_000 && bytes.length < 16 * 1024);
  const client = new ClientHello();
  let reads = 0;
  for (let length = 1; length <= bytes.length; length++) {
    assertEquals(client.requestedName(), undefined);
    const arrived = counted(bytes.subarray(0, length));
    client.read(arrived.bytes);
    assertEquals(client.outdatedVersion(), undefined);
    reads += arrived.reads();
  }
  assertEquals(client.requestedName(), "");
  // The first byte of a header is looked at again until the header is complete.
  assert(reads <= 2 * bytes.length, `${reads} reads of ${bytes.length} bytes`);
});

Deno.test("ClientHello.read() gives the same results in pieces as at once", pure, () => {
  const whole = [hello(NAMED, { size: 5 }), hello(NAMED, { version: 0x0301, size: 3 })];
  const edits = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(fc.nat(1), edits, fc.array(fc.integer({ min: 1, max: 30 })), (which, changes, sizes) => {
      const bytes = whole[which]!.slice();
      for (const [at, value] of changes) bytes[at] = value;
      const client = new ClientHello();
      let length = 0;
      for (const size of [...sizes, bytes.length]) {
        length = Math.min(length + size, bytes.length);
        const arrived = bytes.subarray(0, length);
        client.read(arrived);
        assertEquals(client.requestedName(), requestedName(arrived));
        assertEquals(client.outdatedVersion(), outdatedVersion(arrived));
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("outdatedVersion() returns a version before TLS 1.2 as soon as it has arrived", pure, () => {
  const versions = [0x0000, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304];
  const found = [undefined, "SSL 3.0", "TLS 1.0", "TLS 1.1", undefined, undefined];
  for (const size of [2 ** 14, 7, 3, 1]) {
    assertEquals(versions.map((version) => outdatedVersion(hello(NAMED, { size, version }))), found);
  }
  const bytes = hello(NAMED, { version: 0x0302 });
  const known = Array.from(bytes, (_, length) => outdatedVersion(bytes.subarray(0, length)) !== undefined);
  assertEquals(known.indexOf(true), 11);
  assertEquals(known.lastIndexOf(false), 10);
  assertEquals(outdatedVersion(Uint8Array.from([0x16, 3, 1, 0, 6, 2, 0, 0, 2, 3, 1])), undefined);
});

Deno.test("requestedName() reads the hello of a TLS client", async () => {
  const received = Promise.withResolvers<Uint8Array>();
  await using server = listen({ codec: bytesCodec });
  void server.serve(async (peer) => {
    const { value } = await peer[Symbol.asyncIterator]().next();
    received.resolve(value!);
    peer.abort();
  });
  const network = new TlsNetwork(systemNetwork, { client: { serverName: "a.test", alpn: ["x/1"] } });
  await network.connect({ port: server.port }).then((transport) => transport.close(), () => {});
  const bytes = await received.promise;
  assertEquals(requestedName(bytes), "a.test");
  assert(isClientHello(bytes));
});

Deno.test("requestedName() returns the same result for any bytes when more bytes follow", pure, () => {
  const whole = hello(NAMED, { size: 40 });
  const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(edits, fc.uint8Array({ maxLength: 20 }), (changes, more) => {
      const bytes = Uint8Array.from([...whole, ...more]);
      for (const [at, value] of changes) bytes[at] = value;
      let found: string | undefined;
      for (let length = 0; length <= whole.length; length++) {
        const name = requestedName(bytes.subarray(0, length));
        assert(name === undefined || /^[a-z0-9._-]*$/.test(name));
        // A name that was found stays the same, unless the following bytes are not a handshake.
        if (found !== undefined) assert(name === found || name === "", `${found}, then ${name}`);
        found ??= name;
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});
