import { assertEquals, assertMatch } from "@std/assert";
import { logListener } from "../../../cli/server/listener_log.ts";
import { Log } from "../../../cli/terminal/log.ts";
import { type Handler, listen } from "../../../socket/mod.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";
import { pure } from "../../_util/permissions.ts";
import { CollectedOutput } from "../../_util/collected_output.ts";

/** Serves one peer, and returns the lines that were logged. */
async function logOf(handler: Handler): Promise<readonly string[]> {
  const world = new Simulation();
  const stderr = new CollectedOutput();
  const log = new Log({ stderr, noColor: true });
  const server = listen({ ...world.seam, ...logListener({ log, onReload() {} }) });
  const served = server.serve(handler);
  const peer = await world.peer(server.port);
  await world.clock.runUntil(server.until((stats) => stats.accepted === 1 && stats.connections === 0));
  await world.clock.runUntil(Promise.all([server.close(), served]));
  peer.connection.abort();
  return stderr.text.split("\n").filter((line) => !/^ {4}at |^$/.test(line));
}

Deno.test.each<[string, Handler]>([
  ["while its connection is open", () => Promise.reject(new RangeError("broken"))],
  ["after its connection has ended", async (peer) => {
    peer.abort();
    await peer.closed;
    throw new RangeError("broken");
  }],
  ["after it has aborted its connection for the error", (peer) => {
    const error = new RangeError("broken");
    peer.abort({ type: "handler-failed", error });
    throw error;
  }],
])("logListener() logs an error of a handler once when it throws %s", pure, async (_, handler) => {
  const lines = await logOf(handler);
  assertEquals(lines.length, 1, lines.join("\n"));
  assertMatch(lines[0]!, /^error: Cannot serve 127\.0\.0\.1:\d+: RangeError: broken$/);
});

Deno.test("logListener() logs no error when a handler ends with its connection", pure, async () => {
  const lines = await logOf(async (peer) => {
    peer.send("never read");
    peer.abort();
    await peer.flushed();
  });
  assertEquals(lines, []);
});
