import { assertEquals, assertThrows } from "@std/assert";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { verifyHistoryFile } from "../../../loadtest/history/file.ts";
import { formatHistoryLine } from "../../../loadtest/history/line_format.ts";
import { LineFile, readLines } from "../../../loadtest/history/line_file.ts";
import { readServerEvents, ServerEventWriter } from "../../../loadtest/history/server_events.ts";
import { HistoryMerger } from "../../../loadtest/history/merge.ts";
import { addressOf, clientEvents, ENDING, runEvent, SERVER } from "../../_util/loadtest/run_events.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const FINISH = { parts: 2, verdict: "proven", crossed: [] };

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync();

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function writePart(path: string, events: readonly HistoryEvent[], tail = ""): void {
  Deno.writeTextFileSync(path, events.map((event) => formatHistoryLine(event) + "\n").join("") + tail);
}

/** Two clients that answer each other, each of them run by another part, and the end of the run. */
async function writeRun(folder: Folder, tail = ""): Promise<string> {
  const path = folder.file("run.jsonl");
  using history = new HistoryMerger(path);
  for (const event of ENDING) history.record(event);
  writePart(history.partPath(0), clientEvents(0, { at: 10, holds: 1 }));
  writePart(history.partPath(1), clientEvents(1, { at: 11, holds: 0 }), tail);
  await history.finish(runEvent(2), FINISH);
  return path;
}

Deno.test("HistoryMerger.finish() merges the parts by time, and leaves one file", async () => {
  using folder = new Folder();
  const path = await writeRun(folder);
  assertEquals(folder.names(), ["run.jsonl"]);
  const events = Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(
    events.map(({ event, client }) => [event, client]).slice(0, 7),
    [["run", undefined], ["planned", 0], ["planned", 1], ["start", 0], ["start", 1], ["connect", 0], [
      "send",
      0,
    ]],
  );
  assertEquals(events.slice(-4).map(({ event }) => event), ["stop", "server", "generator", "verdict"]);
  const { verdict, discrepancies } = await verifyHistoryFile(path);
  assertEquals([verdict, discrepancies], ["proven", []]);
});

Deno.test("HistoryMerger.finish() skips a line that was cut off when its process was killed", async () => {
  using folder = new Folder();
  const { verdict, discrepancies } = await verifyHistoryFile(await writeRun(folder, '{"event":"cl'));
  assertEquals([verdict, discrepancies], ["proven", []]);
});

Deno.test("HistoryMerger.finish() skips a part when its process wrote none", async () => {
  using folder = new Folder();
  const path = folder.file("run.jsonl");
  using history = new HistoryMerger(path);
  for (const event of ENDING) history.record(event);
  await history.finish(runEvent(0), FINISH);
  assertEquals((await verifyHistoryFile(path)).verdict, "proven");
});

Deno.test("verifyHistoryFile() finds a byte inserted before the history", async () => {
  using folder = new Folder();
  const path = await writeRun(folder);
  Deno.writeTextFileSync(path, "\ufeff" + Deno.readTextFileSync(path));
  const failed = await verifyHistoryFile(path).then(() => "judged", (error: Error) => error.name);
  assertEquals(failed, "HistoryError");
});

Deno.test("LineFile writes lines, and readLines() reads them", async () => {
  using folder = new Folder();
  const lines = Array.from({ length: 20_000 }, (_, index) => `Zeile ${index} 🎉`);
  const file = new LineFile(folder.file("lines"));
  for (const line of lines) file.write(line);
  file[Symbol.dispose]();
  file[Symbol.dispose]();
  const read: string[] = [];
  for await (const some of readLines(folder.file("lines"))) read.push(...some);
  assertEquals(read, lines);
});

// A Linux device on which every write fails as on a full disk.
const onLinux = { ignore: Deno.build.os !== "linux" };

Deno.test("LineFile throws on close, and not on write, when the disk is full", onLinux, () => {
  const file = new LineFile("/dev/full");
  const line = "x".repeat(100_000);
  file.write(line);
  file.write(line);
  assertThrows(() => file[Symbol.dispose](), Error, "No space left");
  file[Symbol.dispose]();
});

Deno.test("LineFile calls onFailed once when it cannot be written", onLinux, () => {
  const told: unknown[] = [];
  const file = new LineFile("/dev/full", { onFailed: (error) => told.push(error) });
  const line = "x".repeat(100_000);
  file.write(line);
  assertEquals(told.length, 1);
  file.write(line);
  file[Symbol.dispose]();
  assertEquals(told.length, 1);
});

Deno.test("ServerEventWriter records when each connection opened and how it ended", async () => {
  using folder = new Folder();
  const world = new Simulation();
  const history = new ServerEventWriter(folder.file("peers"), { now: () => 1_000_000 + world.clock.now() });
  const server = world.relay({ port: 8000, onEvent: (event) => history.write(event) });
  const peer = await world.peer(8000);
  const remote = `127.0.0.1:${peer.connection.local.port}`;
  await world.clock.runUntil(peer.connection.close());
  await world.clock.runUntil(server.until(({ connections }) => connections === 0));
  await world.clock.runUntil(server.close());
  history[Symbol.dispose]();
  const events: HistoryEvent[] = [];
  for await (const event of readServerEvents(folder.file("peers"), 1_000_000)) events.push(event);
  const local = SERVER;
  assertEquals(events, [
    { event: "accepted", at: 0, local, remote },
    { event: "ended", at: 0, local, remote, reason: "natural" },
  ]);
});

Deno.test("verifyHistoryFile() names the client of a connection that ended unnaturally at the server", async () => {
  using folder = new Folder();
  const path = folder.file("run.jsonl");
  using history = new HistoryMerger(path);
  const ends = { local: SERVER, remote: addressOf(1) };
  history.record({ event: "accepted", at: 13, ...ends });
  history.record({ event: "ended", at: 40, ...ends, reason: "reset" });
  for (const event of ENDING) history.record(event);
  writePart(history.partPath(0), clientEvents(0, { at: 10, holds: 1 }));
  writePart(history.partPath(1), clientEvents(1, { at: 12, holds: 0 }));
  await history.finish(runEvent(2), { ...FINISH, verdict: "failed" });
  const { verdict, judgement, discrepancies } = await verifyHistoryFile(path);
  assertEquals([verdict, discrepancies], ["failed", []]);
  assertEquals(judgement.findings.map(({ text }) => text), [
    `The server saw client 1 (${addressOf(1)}), from ${addressOf(1)}, end as reset`,
  ]);
});
