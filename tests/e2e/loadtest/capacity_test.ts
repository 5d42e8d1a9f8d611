import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listen } from "../../../socket/mod.ts";
import { loadTest } from "../../_util/loadtest/loadtest_program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** Requests that the server serves in a level of a second. A count, because a time would depend on the machine. */
const LIMIT = 200;

Deno.test("loadtest.ts capacity finds an interval that contains the limit of a server, and plots it", async () => {
  /** Requests of each level. */
  const served = new Map<string, number>();
  await using server = listen({ port: 0, hostnames: ["127.0.0.1"] });
  server.serve(async (peer) => {
    for await (const level of peer) {
      const count = (served.get(level) ?? 0) + 1;
      served.set(level, count);
      peer.send(`${count}`);
    }
  });
  await using dir = new TempDir();
  await dir.write(
    "count.ts",
    `import { lineCodec, scenario } from "@okline/okline/loadtest";
    export default scenario({
      codec: lineCodec(),
      setup: () => ({ level: crypto.randomUUID() }),
      async message(t) {
        t.metric("served").record(Number(await t.ask(t.shared.level)));
      },
    });`,
  );
  const report = `${dir.path}/capacity.html`;
  const { code, out, err, summary } = await loadTest(
    ...["capacity", `${dir.path}/count.ts`, "--no-check", "--target", `127.0.0.1:${server.port}`],
    ...["--clients", "10", "--until", `metric.served.max<=${LIMIT}`, "--max-lag", "1h"],
    ...["--level-duration", "1s", "--confirm-duration", "1s", "--start-rate", "100/s"],
    ...["--report", report, "--json"],
  );
  assertEquals(code, 0, out + err);
  assertEquals(summary["ending"], "server");
  const [low, high] = [Number(summary["low"]), Number(summary["high"])];
  // A request per second is one in a level, and the interval is at most 6 % wide.
  assert(low <= LIMIT && high > LIMIT && low >= 0.94 * high - 1, `${low} to ${high}`);
  const counts = [...served.values()];
  assert(counts.includes(low) && counts.includes(high), `levels of ${counts}`);
  assertStringIncludes(await Deno.readTextFile(report), "Latency against rate");
});

Deno.test("loadtest.ts capacity ends with the first rate when every reply is wrong, and exits with 1", async () => {
  await using server = listen({ port: 0, hostnames: ["127.0.0.1"] });
  server.serve(async (peer) => {
    for await (const _ of peer) peer.send("nothing like it");
  });
  await using dir = new TempDir();
  await dir.write(
    "wrong one.ts",
    `import { lineCodec, scenario } from "@okline/okline/loadtest";
    export default scenario({
      codec: lineCodec(),
      async message(t) {
        await t.ask("hello", { expect: "hello" });
      },
    });`,
  );
  const file = `${dir.path}/wrong one.ts`;
  const target = `127.0.0.1:${server.port}`;
  const options = ["--clients", "10", "--level-duration", "500ms", "--start-rate", "50/s", "--max-lag", "1h"];
  const { code, err, summary } = await loadTest(
    ...["capacity", file, "--no-check", "--target", target, ...options, "--json"],
  );
  const { ending, early, levels } = summary;
  assertEquals([code, ending, (levels as unknown[]).length], [1, "not found", 1], err);
  const reason =
    "The rate is not the reason, so no lower one was tried: at 50 messages/s, the server answered all";
  assertStringIncludes(`${early}`, reason);
  assertStringIncludes(err, reason);
  assertStringIncludes(
    err,
    `loadtest.ts run '${file}' --target ${target} --clients 10 --rate 50/s --duration 500ms\n`,
  );
});
