import { assertEquals, assertMatch } from "@std/assert";
import { talk } from "../../_util/network/exchange.ts";
import { denoRun, run, runClient, ServerProcess } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** Parses JSON output, one object per line. */
function records(out: string): Record<string, unknown>[] {
  return out.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("client.ts list, upload, and download transfer files that sha256sum confirms", async () => {
  await using here = new TempDir();
  await using there = new TempDir();
  await using server = await ServerProcess.start("files", "--root", there.path, "--writable");
  const args = ["--port", `${server.port}`, "--quiet"];
  await here.write("none", "");
  await here.write("one", "x");
  await here.write("some thing", crypto.getRandomValues(new Uint8Array(65_536)));
  for (const name of ["none", "one", "some thing"]) {
    const up = await runClient(["upload", name, ...args, "--json"], { cwd: here.path });
    assertEquals([up.code, up.err], [0, ""]);
    const [sum] = (await run(["sha256sum", name], { cwd: there.path })).out.split(" ");
    assertEquals(records(up.out)[0]?.checksum, sum);
    const down = await runClient(["download", name, "--output", "copy", ...args], { cwd: here.path });
    assertEquals([down.code, down.out.includes(sum!)], [0, true]);
    assertEquals((await run(["cmp", name, "copy"], { cwd: here.path })).code, 0);
  }
  const listed = await runClient(["list", "--port", `${server.port}`]);
  assertMatch(
    listed.out,
    /^ +0 {2}\S+ \S+ {2}none\n +1 {2}\S+ \S+ {2}one\n +65536 {2}\S+ \S+ {2}some thing\n$/,
  );
});

Deno.test("client.ts download and upload resume a transfer that broke off", async () => {
  await using here = new TempDir();
  await using there = new TempDir();
  await using server = await ServerProcess.start("files", "--root", there.path, "--writable");
  const args = ["--port", `${server.port}`, "--quiet", "--json"];
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await there.write("big", bytes);
  await here.write("big.part", bytes.subarray(0, 20_000));
  const down = await runClient(["download", "big", ...args], { cwd: here.path });
  assertEquals([down.code, records(down.out)[0]?.resumedAt], [0, 20_000]);
  assertEquals(await Deno.readFile(`${here.path}/big`), bytes);
  // The part is not the start of the file: the checksum shows this, and the transfer starts over.
  await here.write("big.part", new Uint8Array(20_000));
  const again = await runClient(["download", "big", ...args], { cwd: here.path });
  assertEquals([again.code, records(again.out)[0]?.resumedAt], [0, 0]);
  assertEquals(await Deno.readFile(`${here.path}/big`), bytes);
  for (
    const [name, start, resumedAt] of [["good", bytes, 30_000], ["bad", new Uint8Array(60_000), 0]] as const
  ) {
    await using begun = await talk(server.port);
    await begun.send(`PUT ${name} 60000\n`);
    await begun.upTo("ready 0\n");
    await begun.send(start.subarray(0, 30_000));
    begun.connection.abort();
    await server.until(({ connections }) => connections === 0);
    const up = await runClient(["upload", "big", "--name", name, ...args], { cwd: here.path });
    assertEquals([up.code, records(up.out)[0]?.resumedAt], [0, resumedAt], up.err);
    assertEquals(await Deno.readFile(`${there.path}/${name}`), bytes);
  }
});

Deno.test("client.ts download and upload report a refusal, and leave nothing behind", async () => {
  await using here = new TempDir();
  await using there = new TempDir();
  await using server = await ServerProcess.start("files", "--root", there.path);
  await here.write("one", "x");
  for (
    const [args, message] of [
      [["download", "none"], "error: Server refuses: no such file\n"],
      [["download", "../one"], "error: Server refuses: path contains ..\n"],
      [["list", "none"], "error: Server refuses: no such directory\n"],
      [["upload", "one"], "error: Server refuses: server is read-only: it was started without --writable\n"],
    ] as const
  ) {
    const { code, err } = await runClient([...args, "--port", `${server.port}`], { cwd: here.path });
    assertEquals([code, err.split("\n").at(-2) + "\n"], [1, message]);
  }
  for (
    const [file, message] of [
      ["none", 'error: Cannot upload "none": no such file or directory\n'],
      [".", 'error: Cannot upload ".": it is not a file\n'],
    ] as const
  ) {
    const { code, err } = await runClient(["upload", file, "--port", `${server.port}`], { cwd: here.path });
    assertEquals([code, err], [1, message]);
  }
  assertEquals([await here.names(), await there.names()], [["one"], []]);
});

Deno.test({
  name: "client.ts download reports in one line that its file cannot be written, and resumes it next time",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using here = new TempDir();
    await using there = new TempDir();
    await using server = await ServerProcess.start("files", "--root", there.path);
    await there.write("big", new Uint8Array(100_000).fill(7));
    const args = ["--port", `${server.port}`, "--quiet"];
    // A shell with a limit on the size of files: beyond it, writing fails, as on a full disk.
    const limited = await run([
      ...["sh", "-c", 'trap "" XFSZ; ulimit -f 16; exec "$0" "$@"'] as const,
      ...denoRun("client.ts", ["download", "big", ...args]),
    ], { cwd: here.path });
    assertEquals([limited.code, limited.err], [1, 'error: Cannot write "big": File too large\n']);
    const again = await runClient(["download", "big", ...args, "--json"], { cwd: here.path });
    assertEquals([again.code, records(again.out)[0]?.resumedAt], [0, 8192]);
    await Deno.mkdir(`${here.path}/folder`);
    const folder = await runClient(["download", "big", "--output", "folder", ...args], { cwd: here.path });
    assertEquals([folder.code, folder.err], [1, 'error: Cannot write "folder": it is a directory\n']);
    assertEquals(await here.names(), ["big", "folder"]);
  },
});
