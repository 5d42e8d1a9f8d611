import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listen } from "../../../socket/mod.ts";
import { loadTest } from "../../_util/loadtest/loadtest_program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

Deno.test("loadtest.ts capacity finds an interval that contains the limit of a server, and plots it", async () => {
  // A reply takes 5 ms of a single thread: 200 a second, or fewer if the machine is busy.
  let [free, waiting, served, busySince] = [0, 0, 0, 0];
  /** Replies per second during each time in which the server was behind for longer than the bound allows. */
  const rates: number[] = [];
  await using server = listen({ port: 0, hostnames: ["127.0.0.1"] });
  server.serve(async (peer) => {
    for await (const line of peer) {
      const now = performance.now();
      if (waiting++ === 0) [served, busySince] = [0, now];
      free = Math.max(free, now) + 5;
      setTimeout(() => {
        peer.send(line);
        served++;
        const took = performance.now() - busySince;
        if (--waiting === 0 && took > 400) rates.push(1000 * served / took);
      }, free - now);
    }
  });
  await using dir = new TempDir();
  await dir.write(
    "echo.ts",
    `import { lineCodec, scenario } from "@okline/okline/loadtest";
    export default scenario({ codec: lineCodec(), message: (t) => t.ask("ping", { expect: "ping" }) });`,
  );
  const report = `${dir.path}/capacity.html`;
  const { code, out, err, summary } = await loadTest(
    ...[
      "capacity",
      `${dir.path}/echo.ts`,
      "--no-check",
      "--target",
      `127.0.0.1:${server.addresses[0]!.port}`,
      "--clients",
      "10",
    ],
    ...[
      "--until",
      "fromPlanned.p99<400ms",
      "--level-duration",
      "3s",
      "--confirm-duration",
      "4s",
      "--max-lag",
      "10s",
    ],
    ...["--start-rate", "100/s", "--report", report, "--json"],
  );
  assertEquals(code, 0, out + err);
  assertEquals(summary["ending"], "server");
  const [low, high] = [Number(summary["low"]), Number(summary["high"])];
  // Above the limit, a queue of 400 ms takes the rest of a level to build up.
  const [slowest, fastest] = [Math.min(...rates), Math.max(...rates)];
  assert(
    low <= 1.15 * fastest && high >= 0.95 * slowest,
    `${low} to ${high}, served ${slowest} to ${fastest}`,
  );
  assertStringIncludes(await Deno.readTextFile(report), "Latency against rate");
});
