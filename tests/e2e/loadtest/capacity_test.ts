import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listen } from "../../../socket/mod.ts";
import { loadTest } from "../../_util/loadtest/loadtest_program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

Deno.test("loadtest.ts capacity finds an interval that contains the limit of a server, and plots it", async () => {
  // A reply takes 5 ms of a single thread: 200 a second.
  let free = 0;
  await using server = listen({ port: 0, hostnames: ["127.0.0.1"] });
  server.serve(async (peer) => {
    for await (const line of peer) {
      free = Math.max(free, performance.now()) + 5;
      setTimeout(() => peer.send(line), free - performance.now());
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
    ...["--start-rate", "50/s", "--report", report, "--json"],
  );
  assertEquals(code, 0, out + err);
  assertEquals(summary["ending"], "server");
  const [low, high] = [Number(summary["low"]), Number(summary["high"])];
  // Above the limit, a queue of 400 ms takes the rest of a level to build up.
  assert(low <= 230 && high >= 190, `${low} to ${high}`);
  assertStringIncludes(await Deno.readTextFile(report), "Latency against rate");
});
