import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { FilesClient, type FilesOptions, startFiles } from "../../../services/mod.ts";
import { downloadLength, filesCodec } from "../../../services/files/codec.ts";
import { connect } from "../../../socket/mod.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";
import { TempDir } from "../../_util/temp_dir.ts";
import { untilQuiet } from "../../_util/until.ts";

function start(dir: TempDir, options: Partial<FilesOptions> = {}): ReturnType<typeof startFiles> {
  return startFiles({ root: dir.path, ...options });
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function put(path: string, content: string): string {
  return `PUT ${path} ${content.length}\n${content}sha256 ${sha256(content)}\n`;
}

/** Begins an upload of `a`, 11 bytes of it, and leaves after 8. */
async function cutOff(server: Awaited<ReturnType<typeof startFiles>>): Promise<void> {
  const peer = await talk(server.port);
  await peer.send("PUT a 11\nhello wo");
  await peer.upTo("ready 0\n");
  await peer.connection.close();
  await server.until((stats) => stats.connections === 0);
}

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

Deno.test("startFiles() lists, describes, and sends files, also from an offset", async () => {
  await using dir = new TempDir();
  await dir.write("b c.txt", "hello");
  await dir.write("empty", "");
  await Deno.mkdir(`${dir.path}/sub`);
  await dir.write("sub/x", "x");
  await using server = await start(dir);
  const answer = await exchange(
    server.port,
    "LIST\nLIST sub\nSTAT b%20c.txt\nSTAT sub\nSTAT .\nGET b%20c.txt\nGET b%20c.txt 3\nGET b%20c.txt 5\nGET empty\nQUIT\n",
  );
  assertMatch(
    answer,
    new RegExp(
      `^file 5 ${TIME} b%20c.txt\nfile 0 ${TIME} empty\ndirectory 0 ${TIME} sub\nok 3\nfile 1 ${TIME} x\nok 1\n` +
        `ok file 5 ${TIME}\nok directory 0 ${TIME}\nok directory 0 ${TIME}\n` +
        `body 5\nhellosha256 ${sha256("hello")}\nbody 2\nlosha256 ${sha256("hello")}\nbody 0\nsha256 ${
          sha256("hello")
        }\nbody 0\nsha256 ${sha256("")}\nok\n$`,
    ),
  );
  assertEquals(server.stats().bodyBytesOut, 7);
});

Deno.test("startFiles() puts an upload in place when it is complete", async () => {
  await using dir = new TempDir();
  await dir.write("old", "before");
  await using server = await start(dir, { writable: true });
  await using client = await talk(server.port);
  await client.send("PUT old 5\n");
  await client.upTo("ready 0\n");
  await client.send("he");
  assertEquals(await dir.read("old"), "before");
  await client.send(`llosha256 ${sha256("hello")}\n`);
  await client.upTo("ok\n");
  assertEquals(await dir.read("old"), "hello");
  await client.send(`${put("new", "")}QUIT\n`);
  assertEquals(await client.rest(), "ready 0\nok\nok\n");
  assertEquals(await dir.names(), ["new", "old"]);
});

Deno.test("startFiles() deletes an upload when its checksum is wrong or missing", async () => {
  await using dir = new TempDir();
  await using server = await start(dir, { writable: true });
  const answer = await exchange(server.port, `PUT a 1\nxsha256 ${sha256("y")}\nPUT b 1\nxQUIT\nQUIT\n`);
  const lines = answer.split("\n");
  assertEquals(lines.filter((line) => line.startsWith("ready")).length, 2);
  assertEquals(lines[1], `error checksum differs: received ${sha256("x")}`);
  assertEquals(lines[3], "error invalid line after the body, expected sha256 and 64 hexadecimal digits");
  assertEquals(await dir.names(), []);
});

Deno.test("startFiles() resumes an upload that was interrupted", async () => {
  await using dir = new TempDir();
  await using server = await start(dir, { writable: true });
  await cutOff(server);
  assertEquals((await dir.names()).length, 1);
  const answer = await exchange(
    server.port,
    `LIST\nSTAT a\nGET a\nPUT a 11 9\nPUT a 11 6\nworldsha256 ${sha256("hello world")}\nSTAT a\nQUIT\n`
      .replace("PUT a 11 9\n", `PUT a 11 9\nldsha256 ${sha256("")}\n`),
  );
  assertMatch(
    answer,
    new RegExp(
      `^partial 8 ${TIME} a\nok 1\nok partial 8\nerror no such file\n` +
        `error offset is 9, but an earlier upload has left 8 bytes\nready 6\nok\nok file 11 ${TIME}\nok\n$`,
    ),
  );
  assertEquals(await dir.read("a"), "hello world");
  assertEquals(await dir.names(), ["a"]);
});

Deno.test("startFiles() truncates the partial file when the resumed upload is shorter", async () => {
  await using dir = new TempDir();
  await using server = await start(dir, { writable: true });
  await cutOff(server);
  const answer = await exchange(server.port, `PUT a 6 5\n!sha256 ${sha256("hello!")}\nQUIT\n`);
  assertEquals(answer, "ready 5\nok\nok\n");
  assertEquals(await dir.read("a"), "hello!");
});

Deno.test("startFiles() lets one client at a time write a file", async () => {
  await using dir = new TempDir();
  await using server = await start(dir, { writable: true });
  await using first = await talk(server.port);
  await first.send("PUT a 2\nx");
  await first.upTo("ready");
  assertStringIncludes(
    await exchange(server.port, `${put("a", "zz")}QUIT\n`),
    "error file is being written by another",
  );
  await first.send(`ysha256 ${sha256("xy")}\n`);
  await first.upTo("ok\n");
  assertEquals(await dir.read("a"), "xy");
  assertEquals(await exchange(server.port, `${put("a", "zz")}DELETE a\nQUIT\n`), "ready 0\nok\nok\nok\n");
  assertEquals(await dir.names(), []);
});

Deno.test("startFiles() refuses uploads when it is read-only, and skips their bodies", async () => {
  await using dir = new TempDir();
  await dir.write("a", "a");
  await using server = await start(dir);
  const answer = await exchange(server.port, `${put("b", "STAT a\n")}DELETE a\nGET a\nQUIT\n`);
  assertEquals(
    answer,
    `error server is read-only: it was started without --writable\nerror server is read-only: it was started without --writable\nbody 1\nasha256 ${
      sha256("a")
    }\nok\n`,
  );
  assertEquals(
    await exchange(server.port, "PUT b 100000\n"),
    "error server is read-only: it was started without --writable\n",
  );
  assertEquals(await dir.names(), ["a"]);
});

Deno.test({
  name: "startFiles() counts names that a request cannot express",
  ignore: Deno.build.os !== "linux", // Elsewhere, file systems refuse such names.
  fn: async () => {
    await using dir = new TempDir();
    for (const name of ["a\nb", "a\\b", "fine", "\ufffd"]) await dir.write(name, "");
    const shell = new Deno.Command("sh", { args: ["-c", `touch "$(printf 'x\\377')"`], cwd: dir.path });
    assertEquals((await shell.output()).code, 0);
    await using server = await startFiles({ root: dir.path });
    assertMatch(
      await exchange(server.port, "LIST\nQUIT\n"),
      new RegExp(`^file 0 ${TIME} fine\nfile 0 ${TIME} %EF%BF%BD\nok 2 omitted 3\nok\n$`),
    );
    await using client = await FilesClient.connect({ port: server.port });
    const omitted: number[] = [];
    const onOmitted = (count: number) => omitted.push(count);
    const names = await Array.fromAsync(client.list(".", { onOmitted }), ({ name }) => name);
    assertEquals([names, omitted], [["fine", "\ufffd"], [3]]);
  },
});

Deno.test("startFiles() stops hashing when the client has disconnected", async () => {
  await using dir = new TempDir();
  await Deno.mkdir(`${dir.path}/.okline-partials`);
  // Sparse: hashing one takes half an hour.
  for (const name of ["big", ".okline-partials/up"]) {
    using file = await Deno.open(`${dir.path}/${name}`, { create: true, write: true });
    await file.truncate(900_000_000_000);
  }
  await using server = await startFiles({ root: dir.path, writable: true });
  await Promise.all(["GET big 900000000000", "PUT up 900000000001 900000000000"].map(async (request) => {
    await using client = await talk(server.port);
    await client.send(`${request}\n`);
    await client.upTo("working ");
    client.connection.abort();
  }));
  await server.until((stats) => stats.connections === 0);
  assertEquals((await Deno.stat(`${dir.path}/.okline-partials/up`)).size, 900_000_000_000);
});

Deno.test("startFiles() refuses every path that leads outside its root", async () => {
  await using outer = new TempDir();
  await outer.write("secret", "secret");
  const root = `${outer.path}/root`;
  await Deno.mkdir(`${root}/sub`, { recursive: true });
  await Deno.symlink(`${outer.path}/secret`, `${root}/link`);
  await Deno.symlink(outer.path, `${root}/up`);
  await Deno.symlink("sub", `${root}/inner`);
  await Deno.writeTextFile(`${root}/sub/x`, "x");
  await using server = await startFiles({ root, writable: true });
  const paths = [
    "link",
    "up/secret",
    "up/root/sub/x",
    "inner/x",
    "../secret",
    "%2e%2e/secret",
    "..%2fsecret",
    "sub/../../secret",
    `${outer.path}/secret`,
    `/${outer.path}/secret`,
    "link%00",
    "..%5csecret",
  ];
  for (const path of paths) {
    for (
      const request of [`GET ${path}`, `STAT ${path}`, `DELETE ${path}`, `LIST ${path}`, `PUT ${path} 0`]
    ) {
      const answer = await exchange(server.port, `${request}\nsha256 ${sha256("")}\nQUIT\n`);
      assertMatch(answer, /^error /, request);
      assert(!answer.includes("secret") && !answer.includes(outer.path), answer);
    }
  }
  assertEquals(
    await exchange(server.port, "LIST\nQUIT\n").then((answer) => answer.match(/sub|link|up|inner/g)),
    ["sub"],
  );
  assertEquals(await outer.read("secret"), "secret");
  assertEquals((await outer.names()).sort(), ["root", "secret"]);
});

Deno.test("startFiles() answers an impossible request with an error, and serves the next one", async () => {
  await using dir = new TempDir();
  await Deno.mkdir(`${dir.path}/sub`);
  await dir.write("a", "a");
  await using server = await start(dir, { writable: true });
  const answer = await exchange(
    server.port,
    `HELP\nGET none\nGET sub\nGET a 2\nLIST a\nLIST none\nDELETE sub\nGET a/b\n${put("sub", "x")}${
      put("no/x", "x")
    }${put("../x", "x")}STAT a\nPUT a b\nSTAT a\n`,
  );
  const lines = answer.split("\n");
  assertEquals(lines.slice(0, 11), [
    "error unknown verb, expected LIST, GET, PUT, DELETE, STAT, QUIT",
    "error no such file",
    "error path is a directory",
    "error offset 2 is beyond the end, 1",
    "error path is not a directory",
    "error no such directory",
    "error path is a directory",
    "error path goes through a file",
    "error path is not a file",
    "error no such directory",
    "error path contains ..",
  ]);
  assertMatch(lines[11]!, /^ok file 1 /);
  assertMatch(lines[12]!, /^error invalid number of bytes/);
  assertEquals(lines.slice(13), [""]);
});

Deno.test("startFiles() buffers little of a large file when the client does not read", async () => {
  await using dir = new TempDir();
  const content = new Uint8Array(32 * 1024 * 1024).map((_, index) => index * 7);
  await dir.write("big", content);
  await using server = await start(dir, { limits: { writeBuffer: 256 * 1024 } });
  await using client = await connect({ port: server.port, codec: filesCodec(downloadLength) });
  client.send("GET big");
  await untilQuiet(() => server.stats().queuedBytes);
  assertEquals(server.stats().closed["slow-reader"], 0);
  assert(server.stats().queuedBytes > 0);
  const hash = createHash("sha256");
  const lines: string[] = [];
  for await (const frame of client) {
    if (typeof frame !== "string") hash.update(frame);
    else if (lines.push(frame) === 2) break;
  }
  assertEquals(lines, ["body 33554432", `sha256 ${sha256(content)}`]);
  assertEquals(hash.digest("hex"), sha256(content));
});

Deno.test("startFiles() finishes a transfer and closes idle connections when it drains", async () => {
  await using dir = new TempDir();
  await using server = await start(dir, { writable: true });
  await using idle = await talk(server.port);
  await using busy = await talk(server.port);
  await busy.send("PUT a 2\nx");
  await busy.upTo("ready 0\n");
  await idle.send("STAT .\n");
  await idle.upTo("\n");
  const drained = server.shutdown();
  assertEquals(await idle.rest(), "error server is draining\n");
  await busy.send(`ysha256 ${sha256("xy")}\n`);
  assertEquals(await busy.rest(), "ok\nerror server is draining\n");
  await Promise.all([idle, busy].map(({ connection }) => connection.close()));
  await drained;
  assertEquals(await dir.read("a"), "xy");
});

Deno.test("startFiles() throws when the root is not a directory", async () => {
  await using dir = new TempDir();
  await dir.write("a", "");
  await assertRejects(() => startFiles({ root: `${dir.path}/a` }), TypeError, "not a directory");
  await assertRejects(() => startFiles({ root: `${dir.path}/none` }), Deno.errors.NotFound);
});
