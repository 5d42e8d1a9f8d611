import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { listen } from "../../../socket/mod.ts";
import { loadTest, startLoadTest } from "../../_util/loadtest/loadtest_program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const HEAD = 'import { lineCodec, scenario } from "@okline/okline/loadtest";\n';

/** A line echo, and the arguments that run two clients of a scenario at it. */
function startEcho(file: string): { args: string[] } & AsyncDisposable {
  const server = listen({ port: 0, hostnames: ["127.0.0.1"] });
  server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const target = `127.0.0.1:${server.addresses[0]!.port}`;
  return {
    args: [
      "run",
      file,
      "--target",
      target,
      "--clients",
      "2",
      "--window",
      "0",
      "--max-lag",
      "1h",
      "--no-check",
    ],
    [Symbol.asyncDispose]: () => server.close(),
  };
}

Deno.test("loadtest.ts run keeps the results of a scenario that fails outside of its sessions", async () => {
  await using dir = new TempDir();
  const [file, history] = [`${dir.path}/scenario.ts`, `${dir.path}/history.jsonl`];
  await using echo = startEcho(file);
  await Deno.writeTextFile(
    file,
    `${HEAD}export default scenario({
      codec: lineCodec(),
      async session(t) {
        await t.ask("one", { expect: "one" });
        if (t.client === 0) void Promise.reject(new Error("floating"));
        else setTimeout(() => { throw new Error("late"); }, 0);
        await t.think("50ms");
      },
      setup() {
        void Promise.reject(new Error("set up"));
      },
      expectState: () => Promise.reject(new TypeError("fetch failed")),
      teardown() {
        throw new Error("torn");
      },
    });`,
  );
  const { code, err, summary } = await loadTest(...echo.args, "--json", "--quiet", "--history", history);
  assertEquals([code, summary["verdict"], summary["acked"]], [1, "failed", 2], err);
  const texts = (summary["findings"] as { text: string }[]).map(({ text }) => text).join("\n");
  const place = String.raw`scenario\.ts:\d+:\d+`;
  for (
    const finding of [
      `In the scenario, a promise that nothing awaits threw Error: floating at ${place}`,
      `In the scenario, a promise that nothing awaits threw Error: set up at ${place}`,
      `In the scenario, a timer or an event handler threw Error: late at ${place}`,
      String.raw`In the scenario, teardown\(\) threw Error: torn at ${place}`,
      String
        .raw`state of the server could not be read: expectState\(\) threw TypeError: fetch failed at ${place}`,
    ]
  ) assertMatch(texts, new RegExp(finding));
  assertMatch(err, new RegExp(`^error: In the scenario, .* threw Error: set up at ${place}\n$`));
  const verified = await loadTest("verify", history, "--json");
  assertEquals([verified.code, verified.summary["verdict"]], [1, "failed"], verified.err);
});

Deno.test("loadtest.ts run names what calls Deno.exit(), and keeps the results", async () => {
  await using dir = new TempDir();
  const file = `${dir.path}/scenario.ts`;
  await using echo = startEcho(file);
  const write = (parts: string, before = "") =>
    Deno.writeTextFile(
      file,
      `${HEAD}${before}export default scenario({
        codec: lineCodec(),
        async session(t) {
          await t.ask("one", { expect: "one" });
          if (t.client === 0) Deno.exit(0);
        },
        ${parts}
      });`,
    );
  const why = (code: number) =>
    String
      .raw`threw ExitForbiddenError: Cannot call Deno\.exit\(${code}\): it would lose the results of the load test at scenario\.ts:`;

  await write("teardown() { Deno.exit(7); },");
  const ran = await loadTest(...echo.args, "--json", "--quiet");
  assertEquals([ran.code, ran.summary["verdict"], ran.summary["acked"]], [1, "failed", 2], ran.err);
  const texts = (ran.summary["findings"] as { text: string }[]).map(({ text }) => text).join("\n");
  assertMatch(texts, new RegExp(`Client 0 .*: the scenario ${why(0)}`));
  assertMatch(texts, new RegExp(`teardown\\(\\) ${why(7)}`));

  await write("setup() { Deno.exit(0); },");
  const setUp = await loadTest(...echo.args, "--quiet");
  assertEquals([setUp.code, setUp.out], [2, ""]);
  assertMatch(setUp.err, new RegExp(`^error: Cannot set up the scenario: setup\\(\\) ${why(0)}.*\n$`));

  await write("", "Deno.exit(0);\n");
  const loaded = await loadTest(...echo.args, "--quiet");
  assertEquals([loaded.code, loaded.out], [2, ""]);
  assertMatch(loaded.err, new RegExp(`^error: Cannot load .*: it ${why(0)}.*\n$`));
});

Deno.test("loadtest.ts run says when setup is slow, and ends with one line on Ctrl-C", async () => {
  await using dir = new TempDir();
  const file = `${dir.path}/scenario.ts`;
  await using echo = startEcho(file);
  await Deno.writeTextFile(
    file,
    `${HEAD}export default scenario({
      codec: lineCodec(),
      session() {},
      setup: () => new Promise<void>(() => {}),
    });`,
  );
  const run = startLoadTest(...echo.args);
  await run.says("Setting up ");
  run.kill("SIGINT");
  const { code, err } = await run.outcome;
  assertEquals(code, 130);
  assertStringIncludes(err, `error: Interrupted while setting up ${file}\n`);
});

Deno.test("loadtest.ts run names the place of an error deep below t.ask, and keeps what is printed apart", async () => {
  await using dir = new TempDir();
  const file = `${dir.path}/scenario.ts`;
  await using echo = startEcho(file);
  await Deno.writeTextFile(
    file,
    `${HEAD}Deno.stdout.writeSync(new TextEncoder().encode("loading "));
    export default scenario({
      codec: lineCodec(),
      async session(t) {
        console.log(JSON.stringify({ event: "progress" }));
        await t.ask("two\\nlines");
      },
    });`,
  );
  const { code, err, summary } = await loadTest(...echo.args, "--json", "--quiet");
  assertEquals([code, summary["verdict"]], [1, "failed"], err);
  const texts = (summary["findings"] as { text: string }[]).map(({ text }) => text).join("\n");
  assertMatch(texts, /Cannot send "two\\nlines" as a line: it contains a line feed at scenario\.ts:7:\d+/);
  assertStringIncludes(err, '{"event":"progress"}');
});
