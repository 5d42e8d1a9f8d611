import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { downloadFile, FilesClient, FilesError, startFiles, uploadFile } from "../../../services/mod.ts";
import { sleep } from "../../../internal/sleep.ts";
import { bytesCodec, type Connection, listen } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";
import { TempDir } from "../../_util/temp_dir.ts";
import { until } from "../../_util/until.ts";

function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

async function* pieces(...texts: readonly string[]): AsyncIterableIterator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(new TextEncoder().encode(text));
}

/** A server of one connection that answers as `serve` does. */
async function withServer(
  serve: (peer: Connection, lines: AsyncIterator<string>) => Promise<void> | void,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = listen({});
  const served = server.serve(async (peer) => await serve(peer, peer[Symbol.asyncIterator]()));
  await use(server.port);
  await server.close();
  await served;
}

Deno.test("FilesClient lists, describes, transfers, and deletes files with any name", async () => {
  await using dir = new TempDir();
  await using server = await startFiles({ root: dir.path, writable: true });
  await using client = await FilesClient.connect({ port: server.port });
  const path = "a é%20b";
  const content = "hello";
  await client.upload(path, { size: 5, body: pieces("he", "llo"), checksum: () => sha256(content) });
  assertEquals(await dir.names(), [path]);
  const [entry] = await Array.fromAsync(client.list());
  assertEquals([entry?.type, entry?.size, entry?.name], ["file", 5, path]);
  const { entry: known, partial } = await client.stat(path);
  assertEquals([known?.modified, partial], [entry?.modified, 0]);
  const download = await client.download(path, 2);
  const body = (await Array.fromAsync(download.body, (bytes) => new TextDecoder().decode(bytes))).join("");
  assertEquals([download.length, body, await download.checksum()], [3, "llo", sha256(content)]);
  await client.delete(path);
  assertEquals(await dir.names(), []);
});

Deno.test("FilesClient reports a refusal with its code, and remains usable", async () => {
  await using dir = new TempDir();
  await using server = await startFiles({ root: dir.path, writable: true });
  await using client = await FilesClient.connect({ port: server.port });
  const missing = await assertRejects(
    () => client.download("none"),
    FilesError,
    "Server refuses: no such file",
  );
  assertEquals(missing.code, "refused");
  const wrong = await assertRejects(
    () => client.upload("x", { size: 2, body: pieces("hi"), checksum: () => sha256("ho") }),
    FilesError,
    "checksum differs",
  );
  assertEquals(wrong.code, "checksum");
  await assertRejects(() => client.stat("../x"), FilesError, "path contains ..");
  assertEquals(await Array.fromAsync(client.list()), []);
});

Deno.test("FilesClient.upload() stops sending when the server refuses", async () => {
  const sent: string[] = [];
  await withServer(async (peer, lines) => {
    await lines.next();
    peer.send("ready 0");
    peer.send("error no space left");
    await peer.flushed();
    for (let line = await lines.next(); !line.done; line = await lines.next()) sent.push(line.value);
  }, async (port) => {
    await using client = await FilesClient.connect({ port });
    const body = async function* (): AsyncIterableIterator<Uint8Array> {
      // Without the refusal this would never end.
      for (;;) {
        yield new TextEncoder().encode("x\n");
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const error = await assertRejects(
      () => client.upload("x", { size: 1e9, body: body(), checksum: () => "never asked for" }),
      FilesError,
      "no space left",
    );
    assertEquals(error.code, "refused");
  });
  assertEquals(new Set(sent), new Set(["x"]));
});

for (
  const [answer, message] of [
    ["ok", 'Server sent an invalid answer: "ok"'],
    ["body -1", 'Server sent an invalid answer: "body -1"'],
    ["", "Server closed the connection"],
    ["body 5\nhel", "Server ended inside its answer"],
  ] as const
) {
  Deno.test(`FilesClient.download() throws when the server answers ${JSON.stringify(answer)}`, async () => {
    await withServer(async (peer, lines) => {
      await lines.next();
      for (const line of answer.split("\n")) if (line !== "") peer.send(line);
      await peer.closeWrite();
    }, async (port) => {
      await using client = await FilesClient.connect({ port });
      const download = async () => void await Array.fromAsync((await client.download("x")).body);
      const error = await assertRejects(download, FilesError, message);
      assertEquals(error.code, "broken");
    });
  });
}

Deno.test("FilesClient.list() throws when the server sends an invalid name", async () => {
  for (const name of ["ev%1b[31mil", "%", "..", "%00"]) {
    await withServer(async (peer, lines) => {
      await lines.next();
      peer.send(`file 5 2026-01-01T00:00:00Z ${name}`);
      await peer.closeWrite();
    }, async (port) => {
      await using client = await FilesClient.connect({ port });
      const error = await assertRejects(
        () => Array.fromAsync(client.list()),
        FilesError,
        "Server sent an invalid answer",
      );
      assertEquals(error.code, "broken");
    });
  }
});

Deno.test("FilesClient throws when no answer arrives within its timeout", async () => {
  await withServer(async (peer) => void await peer.closed, async (port) => {
    await using client = await FilesClient.connect({ port, timeouts: { reply: 20 } });
    await assertRejects(() => client.stat("x"), FilesError, "timeout: answer for 20 ms");
  });
});

Deno.test("FilesClient waits longer than its timeout while the server reports progress", pure, async () => {
  const network = new MemoryNetwork();
  const clock = new VirtualClock();
  const server = listen({ network, clock, port: 8000 });
  const served = server.serve(async (peer) => {
    const { signal } = new AbortController();
    for await (const line of peer) {
      for (let done = 1; done <= 5; done++) {
        await sleep(900, clock, signal);
        peer.send(`working ${done}`);
      }
      peer.send(line.startsWith("PUT") ? "ready 0" : "ok partial 7");
    }
  });
  const client = await FilesClient.connect({ network, clock, port: 8000, timeouts: { reply: 1000 } });
  assertEquals(await clock.runUntil(client.stat("x")), { entry: undefined, partial: 7 });
  const upload = client.upload("x", { size: 1, body: pieces("x"), checksum: () => sha256("x") });
  // The answer is malformed, and arrives after the same time.
  await clock.runUntil(
    assertRejects(() => upload, FilesError, 'Server sent an invalid answer: "ok partial 7"'),
  );
  await clock.runUntil(client[Symbol.asyncDispose]());
  await clock.runUntil(server.close());
  await served;
});

Deno.test("FilesClient throws when the server reports that it works, but no progress", pure, async () => {
  const network = new MemoryNetwork();
  const server = listen({ network, port: 8000 });
  const served = server.serve(async (peer) => {
    for await (const _ of peer) {
      for (let done = 1; done <= 2000; done++) peer.send(`working ${done}`);
      for (let i = 0; i < 2000 && peer.open; i++) {
        peer.send(`working ${i % 7}`);
        await peer.flushed().catch(() => {});
      }
    }
  });
  await using client = await FilesClient.connect({ network, port: 8000 });
  await assertRejects(
    () => client.stat("x"),
    FilesError,
    "Server reported 1000 times that it works, without progress",
  );
  await client[Symbol.asyncDispose]();
  await server.close();
  await served;
});

Deno.test(
  "FilesClient.upload() waits longer than its timeout while the server accepts bytes",
  pure,
  async () => {
    const network = new MemoryNetwork({ capacity: 10_000 });
    const clock = new VirtualClock();
    const server = listen({ network, clock, port: 8000, codec: bytesCodec });
    const read: number[] = [];
    const served = server.serve(async (peer) => {
      const { signal } = new AbortController();
      for await (const bytes of peer) {
        if (read.push(bytes.length) === 1) peer.send(new TextEncoder().encode("ready 0\n"));
        await sleep(900, clock, signal);
        if (bytes.at(-2) === "!".charCodeAt(0)) peer.send(new TextEncoder().encode("ok\n"));
      }
    });
    const client = await FilesClient.connect({ network, clock, port: 8000, timeouts: { reply: 1000 } });
    const body = pieces("x".repeat(100_000), "x".repeat(100_000));
    await clock.runUntil(client.upload("x", { size: 200_000, body, checksum: () => "!" }), { within: 1e9 });
    assert(read.length > 10, `${read.length} reads`);
    await clock.runUntil(client[Symbol.asyncDispose]());
    await clock.runUntil(server.close());
    await served;
  },
);

Deno.test("downloadFile() throws when another download writes the same file", async () => {
  await using dir = new TempDir();
  await using here = new TempDir();
  await dir.write("x", "hello");
  await using server = await startFiles({ root: dir.path });
  await using client = await FilesClient.connect({ port: server.port });
  const destination = `${here.path}/x`;
  {
    using other = await Deno.open(`${destination}.part`, { create: true, write: true });
    await other.lock(true);
    await other.write(new TextEncoder().encode("he"));
    await assertRejects(
      () => downloadFile(client, { path: "x", destination }),
      Deno.errors.Busy,
      `Another download is writing ${destination}.part`,
    );
    assertEquals(await here.read("x.part"), "he");
  }
  await using again = await FilesClient.connect({ port: server.port });
  assertEquals((await downloadFile(again, { path: "x", destination })).resumedAt, 2);
  assertEquals([await here.read("x"), await here.names()], ["hello", ["x"]]);
});

Deno.test("downloadFile() throws when another program has replaced its partial file", async () => {
  await using here = new TempDir();
  const destination = `${here.path}/x`;
  await withServer(async (peer, lines) => {
    await lines.next();
    for (const answer of ["body 3", "hi"]) peer.send(answer);
    await peer.flushed();
    await until(() => here.has("x.part"));
    await Deno.remove(`${destination}.part`);
    await here.write("x.part", "other");
    peer.send(`sha256 ${sha256("hi\n")}`);
    await lines.next();
  }, async (port) => {
    await using client = await FilesClient.connect({ port });
    await assertRejects(
      () => downloadFile(client, { path: "x", destination }),
      Deno.errors.NotFound,
      "was deleted or replaced by another program",
    );
  });
  assertEquals([await here.names(), await here.read("x.part")], [["x.part"], "other"]);
});

Deno.test("downloadFile() keeps its partial file when it is interrupted, and deletes it when the checksum differs", async () => {
  await using dir = new TempDir();
  const destination = `${dir.path}/x`;
  await withServer(async (peer, lines) => {
    await lines.next();
    peer.send("body 10");
    peer.send("hello");
    await peer.closeWrite();
  }, async (port) => {
    await using client = await FilesClient.connect({ port });
    await assertRejects(() => downloadFile(client, { path: "x", destination }), FilesError, "ended inside");
  });
  assertEquals([await dir.names(), await dir.read("x.part")], [["x.part"], "hello\n"]);
  await withServer(async (peer, lines) => {
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      if (line.value.startsWith("STAT")) peer.send("ok file 3 2026-01-01T00:00:00.000Z");
      else for (const answer of ["body 3", "hi", `sha256 ${sha256("ho\n")}`]) peer.send(answer);
    }
  }, async (port) => {
    await using client = await FilesClient.connect({ port });
    await assertRejects(
      () => downloadFile(client, { path: "x", destination }),
      FilesError,
      "Checksum differs",
    );
  });
  assertEquals(await dir.names(), []);
});

Deno.test("uploadFile() and downloadFile() report progress", async () => {
  await using here = new TempDir();
  await using there = new TempDir();
  await here.write("big", "x".repeat(200_000));
  await using server = await startFiles({ root: there.path, writable: true });
  await using client = await FilesClient.connect({ port: server.port });
  for (
    const move of [
      (onProgress: (done: number, total: number) => void) =>
        uploadFile(client, { source: `${here.path}/big`, path: "big" }, { onProgress }),
      (onProgress: (done: number, total: number) => void) =>
        downloadFile(client, { path: "big", destination: `${here.path}/copy` }, { onProgress }),
    ]
  ) {
    const told: number[] = [];
    const { size, resumedAt, checksum } = await move((done, total) => {
      assertEquals(total, 200_000);
      told.push(done);
    });
    assertEquals([size, resumedAt, checksum], [200_000, 0, sha256("x".repeat(200_000))]);
    assertEquals([told[0], told.at(-1)], [0, 200_000]);
    assertEquals(told, told.toSorted((a, b) => a - b));
  }
  assertEquals(await here.read("copy"), await here.read("big"));
});
