import { assert, assertEquals } from "@std/assert";
import { connect } from "../../socket/connect.ts";
import { runRelayClient } from "../../relay/client.ts";
import { askAdmin } from "../_util/admin/admin_client.ts";
import { isInstalled } from "../_util/programs/installed.ts";
import { startWatchedRelay } from "../_util/admin/admin_target.ts";

/** Values by series, as in `okline_connections_closed_total{reason="natural"}`. */
function parse(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

Deno.test("/metrics reports what the relay counted", async () => {
  await using watched = await startWatchedRelay();
  const { admin: { address }, relay } = watched;
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => runRelayClient({ port: relay.port, text: `text ${i}` })),
  );
  assert(results.every(({ acknowledged }) => acknowledged));
  await relay.until(({ connections }) => connections === 0);
  await using waiting = await connect({ port: relay.port });
  await relay.until(({ active }) => active === 1);
  waiting.send("message x");
  const stats = await relay.until(({ pending }) => pending === 1);

  const { text, headers } = await askAdmin(address, "/metrics");
  assertEquals(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  const values = parse(text);
  const expected = {
    "okline_ready": 1,
    "okline_connections": 1,
    "okline_connections_accepted_total": 21,
    'okline_connections_closed_total{reason="natural"}': 20,
    "okline_messages_total": 21,
    "okline_pending": 1,
    "okline_oks_total": 20,
    "okline_redelivered_total": stats.redelivered,
    "okline_ack_seconds_count": 20,
    'okline_ack_seconds_bucket{le="+Inf"}': 20,
    [`okline_build_info{service="relay",version="1.2.3",deno="${Deno.version.deno}"}`]: 1,
  };
  for (const [series, value] of Object.entries(expected)) assertEquals(values.get(series), value, series);
  assert(values.get('okline_bytes_total{direction="in"}')! > 21 * "message ".length);
  assert(values.get("process_resident_memory_bytes")! > 0);
  // Counters go on, and are not added up twice.
  assertEquals(parse((await askAdmin(address, "/metrics")).text).get("okline_oks_total"), 20);
});

const promtool = await isInstalled("promtool");

Deno.test({
  name: "/metrics satisfies promtool check metrics",
  ignore: !promtool,
  fn: async () => {
    await using watched = await startWatchedRelay();
    const { text } = await askAdmin(watched.admin.address, "/metrics");
    const check = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = check.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { code, stdout, stderr } = await check.output();
    assertEquals([code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)], [0, "", ""]);
  },
});
