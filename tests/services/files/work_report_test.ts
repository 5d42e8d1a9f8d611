import { assertEquals, assertThrows } from "@std/assert";
import { filesCodec } from "../../../services/files/codec.ts";
import { ClientGoneError, WorkReport } from "../../../services/files/work_report.ts";
import { connect, listen } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";

/** A connection whose sent lines are collected. */
async function connected() {
  const network = new MemoryNetwork();
  const clock = new VirtualClock();
  const server = listen({ network, clock, port: 8000 });
  const lines: string[] = [];
  const served = server.serve(async (peer) => {
    for await (const line of peer) lines.push(line);
  });
  const connection = await connect({ network, clock, port: 8000, codec: filesCodec(() => undefined) });
  return {
    clock,
    connection,
    lines,
    async [Symbol.asyncDispose]() {
      await clock.runUntil(server.close());
      await clock.runUntil(served);
    },
  };
}

Deno.test("WorkReport.progress() reports when enough work has taken long", pure, async () => {
  await using peer = await connected();
  const report = new WorkReport(peer.connection, peer.clock, 100);
  report.progress(1000); // At once.
  await peer.clock.advance(400);
  report.progress(99); // Little.
  report.progress(100);
  await peer.clock.advance(399);
  report.progress(1000); // Too soon.
  await peer.clock.advance(1);
  report.progress(199); // Little since the last line.
  report.progress(1100);
  await peer.clock.advance(1);
  assertEquals(peer.lines, ["working 100", "working 1100"]);
});

Deno.test("WorkReport.progress() throws when the client has disconnected", pure, async () => {
  await using peer = await connected();
  const report = new WorkReport(peer.connection, peer.clock, 100);
  peer.connection.abort();
  assertThrows(() => report.progress(1), ClientGoneError);
});

Deno.test("WorkReport.during() reports until the work is done", pure, async () => {
  await using peer = await connected();
  const report = new WorkReport(peer.connection, peer.clock, 100);
  const work = Promise.withResolvers<string>();
  const waited = report.during(100, work.promise);
  await peer.clock.advance(1000);
  work.resolve("done");
  assertEquals(await waited, "done");
  await peer.clock.advance(1000);
  assertEquals(peer.lines, ["working 100", "working 100"]);
  assertEquals(await report.during(99, Promise.resolve("little")), "little");
});
