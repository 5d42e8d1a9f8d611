import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { filesCodec, uploadLength } from "../../../services/files/codec.ts";
import { FileStore } from "../../../services/files/file_store.ts";
import { type LockedPartial, Partials } from "../../../services/files/partials.ts";
import { FilesSession } from "../../../services/files/session.ts";
import { startFiles } from "../../../services/mod.ts";
import { type Clock, listen, systemClock } from "../../../socket/mod.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";
import { TempDir } from "../../_util/temp_dir.ts";
import { until } from "../../_util/until.ts";

const DAY = 24 * 60 * 60 * 1000;
const HIDDEN = ".okline-partials";

function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

function put(path: string, content: string): string {
  return `PUT ${path} ${content.length}\n${content}sha256 ${sha256(content)}\n`;
}

/** Starts an upload of 5 bytes, and sends 2 of them. */
async function half(port: number, name: string): Promise<Awaited<ReturnType<typeof talk>>> {
  const peer = await talk(port);
  await peer.send(`PUT ${name} 5\nhe`);
  await peer.upTo("ready 0\n");
  return peer;
}

/** Leaves the first 2 bytes of an upload of 5. */
async function breakOff(server: Awaited<ReturnType<typeof startFiles>>, name: string): Promise<void> {
  const peer = await half(server.port, name);
  await peer.connection.close();
  await server.until((stats) => stats.connections === 0);
}

Deno.test("startFiles() lets one client at a time write a file when two servers serve the same root", async () => {
  await using dir = new TempDir();
  await using one = await startFiles({ root: dir.path, writable: true });
  await using other = await startFiles({ root: dir.path, writable: true });
  await using first = await half(one.port, "report.txt");
  assertEquals(
    await exchange(other.port, `${put("report.txt", "OTHER")}DELETE report.txt\nQUIT\n`),
    "error file is being written by another client\nerror file is being written by another client\nok\n",
  );
  await first.send(`llosha256 ${sha256("hello")}\n`);
  await first.upTo("ok\n");
  assertEquals(await dir.read("report.txt"), "hello");
  assertEquals(await exchange(other.port, `${put("report.txt", "OTHER")}QUIT\n`), "ready 0\nok\nok\n");
  assertEquals(await dir.read("report.txt"), "OTHER");
  assertEquals(await dir.names(), ["report.txt"]);
});

Deno.test("startFiles() resumes an upload that was interrupted at another server", async () => {
  await using dir = new TempDir();
  await using one = await startFiles({ root: dir.path, writable: true });
  await using other = await startFiles({ root: dir.path, writable: true });
  await breakOff(one, "a");
  assertEquals(
    await exchange(other.port, `STAT a\nPUT a 5 2\nllosha256 ${sha256("hello")}\nQUIT\n`),
    "ok partial 2\nready 2\nok\nok\n",
  );
  assertEquals([await dir.read("a"), await dir.names()], ["hello", ["a"]]);
});

Deno.test("startFiles() refuses an upload when another program has replaced or deleted its partial file", async () => {
  await using dir = new TempDir();
  await using server = await startFiles({ root: dir.path, writable: true });
  for (const replacement of ["other", undefined]) {
    await using client = await half(server.port, "a");
    await Deno.remove(`${dir.path}/${HIDDEN}/a`);
    if (replacement !== undefined) await dir.write(`${HIDDEN}/a`, replacement);
    await client.send(`llosha256 ${sha256("hello")}\n`);
    await client.upTo("error upload was deleted by another program\n");
    await assertRejects(() => dir.read("a"), Deno.errors.NotFound);
  }
});

Deno.test("startFiles() lists and deletes unfinished uploads", async () => {
  await using dir = new TempDir();
  await dir.write("b", "b");
  await using server = await startFiles({ root: dir.path, writable: true });
  await breakOff(server, "a");
  await breakOff(server, "b");
  assertMatch(
    await exchange(server.port, "LIST\nDELETE a\nDELETE a\nDELETE b\nDELETE b\nLIST\nQUIT\n"),
    /^file 1 \S+ b\npartial 2 \S+ a\npartial 2 \S+ b\nok 3\nok\nerror no such file\nok\nerror no such file\nok 0\nok\n$/,
  );
  assertEquals(await dir.names(), []);
});

Deno.test("startFiles() hides unfinished uploads when it is read-only", async () => {
  await using dir = new TempDir();
  await Deno.mkdir(`${dir.path}/${HIDDEN}`);
  await dir.write(`${HIDDEN}/a`, "he");
  await using server = await startFiles({ root: dir.path });
  assertEquals(
    await exchange(server.port, `LIST\nSTAT a\nLIST ${HIDDEN}\nGET ${HIDDEN}/a\nQUIT\n`),
    "ok 0\nerror no such file\n" + "error path contains a reserved name: .okline-partial…\n".repeat(2) +
      "ok\n",
  );
});

Deno.test("startFiles() leaves nothing when an upload is interrupted before its first byte", async () => {
  await using dir = new TempDir();
  await using server = await startFiles({ root: dir.path, writable: true });
  {
    await using client = await talk(server.port);
    await client.send("PUT a 5\n");
    await client.upTo("ready 0\n");
  }
  await server.until((stats) => stats.connections === 0);
  assertEquals(await dir.names(), []);
});

Deno.test("FilesSession leaves nothing when an upload cannot be written", async () => {
  await using dir = new TempDir();
  const store = await FileStore.open(dir.path);
  class FullDisk extends Partials {
    override async lock(names: readonly string[]): Promise<LockedPartial> {
      const partial = await super.lock(names);
      const written = partial.file.write.bind(partial.file);
      partial.file.write = async (bytes) => {
        if (bytes.length > 2) {
          throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
        }
        return await written(bytes);
      };
      return partial;
    }
  }
  const options = {
    store,
    partials: new FullDisk(store),
    writable: true,
    clock: systemClock,
    moved: () => {},
  };
  await using server = listen({ codec: filesCodec(uploadLength) });
  const served = server.serve((peer) => new FilesSession(peer, options).run());
  await using client = await half(server.port, "a");
  assertEquals((await dir.names()).length, 1);
  await client.send(`lloSTAT a\n${put("b", "hi")}QUIT\n`);
  assertEquals(await client.rest(), "error no space left\nready 0\nok\nok\n");
  assertEquals(await dir.names(), ["b"]);
  await server.close();
  await served;
});

Deno.test("FilesSession leaves nothing when an upload cannot be put in place", async () => {
  await using dir = new TempDir();
  await using server = await startFiles({ root: dir.path, writable: true });
  await using client = await half(server.port, "a");
  await Deno.mkdir(`${dir.path}/a`);
  await client.send(`llosha256 ${sha256("hello")}\n`);
  await client.upTo("error path is not a file\n");
  assertEquals(await dir.names(), ["a"]);
});

Deno.test("startFiles() deletes only unfinished uploads older than partialTtl", async () => {
  await using dir = new TempDir();
  await using sub = { path: `${dir.path}/sub`, [Symbol.asyncDispose]: () => Promise.resolve() };
  await Deno.mkdir(`${sub.path}/${HIDDEN}`, { recursive: true });
  await Deno.mkdir(`${dir.path}/${HIDDEN}`);
  const old = new Date(Date.now() - 2 * DAY);
  const left = {
    [`sub/${HIDDEN}/old`]: old,
    [`${HIDDEN}/old`]: old,
    [`${HIDDEN}/new`]: new Date(),
    ".okline-partial-check": old,
    "sub/file": old,
  };
  for (const [name, time] of Object.entries(left)) {
    await dir.write(name, "x");
    await Deno.utime(`${dir.path}/${name}`, time, time);
  }
  {
    await using _never = await startFiles({ root: dir.path, writable: true, partialTtl: 0 });
    await using _readOnly = await startFiles({ root: dir.path });
  }
  assertEquals((await dir.names()).length, 3);
  await using server = await startFiles({ root: dir.path, writable: true });
  await until(() => server.stats().expiredPartials === 3);
  assertEquals([await dir.names(), await Array.fromAsync(Deno.readDir(sub.path), ({ name }) => name)], [
    [HIDDEN, "sub"],
    ["file"],
  ]);
  assertEquals(await Array.fromAsync(Deno.readDir(`${dir.path}/${HIDDEN}`), ({ name }) => name), ["new"]);
});

Deno.test("startFiles() deletes expired uploads every hour, except one that is being written", async () => {
  await using dir = new TempDir();
  let lookAgain: (() => void) | undefined;
  const hourly: Clock = {
    ...systemClock,
    after: (ms, run) => {
      if (ms !== 60 * 60 * 1000) return systemClock.after(ms, run);
      lookAgain = run;
      return { cancel: () => {} };
    },
  };
  await using server = await startFiles({ root: dir.path, writable: true, clock: hourly });
  await until(() => lookAgain !== undefined);
  await breakOff(server, "b");
  await using writing = await half(server.port, "a");
  const old = new Date(Date.now() - 2 * DAY);
  for (const name of ["a", "b"]) await Deno.utime(`${dir.path}/${HIDDEN}/${name}`, old, old);
  lookAgain?.();
  await until(() => server.stats().expiredPartials === 1);
  await writing.send(`llosha256 ${sha256("hello")}\n`);
  await writing.upTo("ok\n");
  assertEquals(await dir.names(), ["a"]);
});

Deno.test("Partials.lock() succeeds or refuses when other uploads remove its folder or file in parallel", async () => {
  await using dir = new TempDir();
  const partials = new Partials(await FileStore.open(dir.path));
  let refused = 0;
  await Promise.all(Array.from({ length: 8 }, async (_, client) => {
    for (let turn = 0; turn < 40; turn++) {
      try {
        const partial = await partials.lock([`${turn % 2}`]);
        await partial.file.write(new TextEncoder().encode(`${client}`));
        assertEquals((await partial.file.stat()).size, 1, "nobody else writes to it");
        if (turn % 3 === 0) await partials.discard(partial);
        else {
          await partials.move(partial, `${dir.path}/${turn % 2}`);
          await partials.release(partial);
        }
      } catch (error) {
        assertMatch(String(error), /File is being written by/);
        refused++;
      }
    }
  }));
  assert(refused > 0 && refused < 8 * 40, `${refused} refused`);
  assertEquals(await dir.names(), ["0", "1"]);
});

Deno.test("Partials.lock() throws when there is a symbolic link", async () => {
  await using dir = new TempDir();
  await using outside = new TempDir();
  await Deno.mkdir(`${dir.path}/${HIDDEN}`);
  await Deno.symlink(`${outside.path}/b`, `${dir.path}/${HIDDEN}/a`);
  await Deno.mkdir(`${dir.path}/sub`);
  await Deno.symlink(outside.path, `${dir.path}/sub/${HIDDEN}`);
  const partials = new Partials(await FileStore.open(dir.path));
  await assertRejects(() => partials.lock(["a"]), Error, "neither a file nor a directory");
  await assertRejects(() => partials.lock(["sub", "a"]), Error, "neither a file nor a directory");
  assertEquals(await outside.names(), []);
});
