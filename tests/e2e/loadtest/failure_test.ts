import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Cause } from "../../../loadtest/judge/cause/rule.ts";
import { delay } from "@std/async/delay";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import {
  childrenOf,
  isThere,
  loadTest,
  readOr,
  type RunningProgram,
  startLoadTest,
  startServer,
  startServerOn,
  when,
} from "../../_util/loadtest/loadtest_program.ts";
import { ownAddress } from "../../_util/network/own_address.ts";

/** Enough for some clients to be connected at any time of the run. */
const CLIENTS = 500;

/** A run in progress, with a history that shows its progress. */
class RunUnderWay implements Disposable {
  readonly #folder = Deno.makeTempDirSync();
  readonly history = `${this.#folder}/run.jsonl`;
  readonly program: RunningProgram;

  constructor(...args: readonly string[]) {
    this.program = startLoadTest(
      ...["--clients", `${CLIENTS}`, "--window", "4s", "--reply-delay", "uniform:0s-1s", "--json", "--quiet"],
      ...["--history", this.history, ...args],
    );
  }

  /** Waits until clients have got their oks. */
  async acknowledged(): Promise<void> {
    await when(() => readOr(`${this.history}.part-0`).includes('"event":"ack"'));
  }

  children(word: string): number[] {
    return childrenOf(this.program.pid, word);
  }

  async verdict(): Promise<unknown[]> {
    const { code, summary } = await loadTest("verify", this.history, "--json");
    return [code, summary.recorded, summary.verdict];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

function textsOf(findings: unknown): string {
  return (findings as { text: string }[]).map(({ text }) => text).join("\n");
}

Deno.test("loadtest.ts stops at SIGINT, reports what there is, and leaves no process behind", async () => {
  using run = new RunUnderWay("--processes", "2");
  await run.acknowledged();
  const children = [...run.children("generator"), ...run.children("own-server")];
  assertEquals(children.length, 3);
  // A terminal's Ctrl-C reaches every process that it runs.
  for (const pid of [...children, run.program.pid]) Deno.kill(pid, "SIGINT");
  const { code, summary } = await run.program.outcome;
  assertEquals([code, summary.verdict, summary.unexpected], [130, "interrupted", 0]);
  assert(Number(summary.acked) > 0 && Number(summary.acked) < CLIENTS);
  assertEquals(summary.server, { ...summary.server as object, connections: 0, pending: 0, descriptors: 0 });
  assertEquals(children.filter(isThere), []);
  assertEquals(await run.verdict(), [130, "interrupted", "interrupted"]);
});

Deno.test("loadtest.ts ends immediately on a second SIGINT, with the processes that it started", async () => {
  using run = new RunUnderWay();
  await run.acknowledged();
  const [server = 0] = run.children("own-server");
  try {
    Deno.kill(server, "SIGSTOP"); // so that it cannot be asked for its state, and the report has to wait
    run.program.kill("SIGINT");
    // Two signals at the same time may come as one: the second is sent when the first has stopped the clients.
    await when(() => readOr(`${run.history}.part-0`).includes('"reason":"stopped"'));
    run.program.kill("SIGINT");
    assertEquals(await run.program.exit, 130);
  } finally {
    Deno.kill(server, "SIGCONT");
  }
  assertEquals((await run.program.outcome).out, "");
  await when(() => !isThere(server));
});

Deno.test("loadtest.ts leaves no process behind when it is killed", async () => {
  using run = new RunUnderWay("--processes", "2");
  await run.acknowledged();
  const children = [...run.children("generator"), ...run.children("own-server")];
  run.program.kill("SIGKILL");
  await run.program.outcome;
  await when(() => !children.some(isThere));
});

Deno.test("loadtest.ts names a generator that died, and ends", async () => {
  using run = new RunUnderWay("--processes", "2", "--deadline", "8s");
  await run.acknowledged();
  const [, second = 0] = run.children("generator");
  Deno.kill(second, "SIGKILL");
  const { code, summary } = await run.program.outcome;
  assertEquals([code, summary.verdict], [3, "invalid"]);
  assertStringIncludes(
    textsOf(summary.findings),
    "Generator process 1 ended before the run did: signal SIGKILL",
  );
  assertEquals(await run.verdict(), [3, "invalid", "invalid"]);
});

Deno.test("loadtest.ts names its server when it died, and ends", async () => {
  using run = new RunUnderWay("--deadline", "8s");
  await run.acknowledged();
  const [server = 0] = run.children("own-server");
  Deno.kill(server, "SIGKILL");
  const { code, summary } = await run.program.outcome;
  assertEquals([code, summary.verdict, summary.server], [1, "failed", null]);
  const death = "The server ended before the run did: signal SIGKILL";
  assertStringIncludes(textsOf(summary.findings), death);
  const cause = summary.cause as Cause | undefined;
  assertEquals(cause?.kind, "server-ended");
  assertMatch(cause?.text ?? "", new RegExp(`^${death}, \\S+s after the start$`));
  assertEquals(await run.verdict(), [1, "failed", "failed"]);
});

Deno.test("loadtest.ts is invalid when it cannot keep its schedule, unless --max-lag allows it", async () => {
  using bounded = new RunUnderWay();
  using unbounded = new RunUnderWay(...ANY_LAG);
  await Promise.all([bounded, unbounded].map((run) => run.acknowledged()));
  // As a limit on its share of the processor would: nothing is done until the window is over.
  for (const { program } of [bounded, unbounded]) program.kill("SIGSTOP");
  await delay(4000);
  for (const { program } of [bounded, unbounded]) program.kill("SIGCONT");
  const { code, summary } = await bounded.program.outcome;
  assertEquals([code, summary.verdict, summary.acked], [3, "invalid", CLIENTS]);
  assertMatch(textsOf(summary.findings), /One client in a hundred started at least .* late \(limit 100ms\)/);
  assertEquals(await bounded.verdict(), [3, "invalid", "invalid"]);
  const late = await unbounded.program.outcome;
  assertEquals([late.code, late.summary.verdict, late.summary.acked], [0, "proven", CLIENTS]);
  assertEquals(await unbounded.verdict(), [0, "proven", "proven"]);
});

Deno.test("loadtest.ts ends with an ok for every client when the server is killed and restarted", async () => {
  const host = ownAddress();
  const { server, port } = await startServerOn(host, "--port", "0");
  using run = new RunUnderWay("--target", `${host}:${port}`, ...ANY_LAG);
  await run.acknowledged();
  server.kill("SIGKILL");
  await server.outcome;
  const again = await startServerOn(host, "--port", `${port}`);
  const { code, summary } = await run.program.outcome;
  assertEquals([summary.acked, summary.lost, summary.unexpected], [CLIENTS, 0, 0]);
  assert(Number(summary.reconnects) > 0);
  assertEquals([code, summary.verdict, summary.server], [1, "failed", null]); // It did not go smoothly.
  again.server.kill("SIGTERM");
  assertEquals((await again.server.outcome).code, 0);
});

Deno.test("loadtest.ts ends with delivered when the server has no state", async () => {
  const { server, port } = await startServer("--port", "0");
  const { code, summary } = await loadTest(
    ...["--target", `127.0.0.1:${port}`, "--clients", "300", "--window", "1s", "--json", "--quiet"],
    ...ANY_LAG,
  );
  assertEquals([code, summary.verdict, summary.server, summary.acked], [0, "delivered", null, 300]);
  server.kill("SIGTERM");
  assertEquals((await server.outcome).code, 0);
});

Deno.test("loadtest.ts --target counts the reasons why clients could not connect", async () => {
  const { code, summary } = await loadTest(
    ...["--target", "127.0.0.1:1", "--clients", "3", "--window", "100ms", "--timeout", "500ms"],
    ...["--json", "--quiet", ...ANY_LAG],
  );
  assertEquals([code, summary.acked], [1, 0]);
  assertStringIncludes(
    textsOf(summary.findings),
    `Could not connect ${summary.refused} times: Cannot connect to 127.0.0.1:1: refused`,
  );
});

Deno.test("loadtest.ts --target reports the server's error for a wrong token, also in its history", async () => {
  const folder = await Deno.makeTempDir();
  const { server, port } = await startServer("--port", "0", "--token", "right-one");
  try {
    const run = await loadTest(
      ...["--target", `127.0.0.1:${port}`, "--clients", "3", "--window", "100ms", "--timeout", "500ms"],
      ...["--token", "wrong", "--history", `${folder}/run.jsonl`, "--json", "--quiet"],
      ...ANY_LAG,
    );
    assertEquals([run.code, run.summary.acked], [1, 0]);
    assert(/The server answered (\d+ times|once): error wrong token/.test(textsOf(run.summary.findings)));
    const { summary } = await loadTest("verify", `${folder}/run.jsonl`, "--json");
    assertEquals((summary.findings as string[]).join("\n"), textsOf(run.summary.findings));
  } finally {
    server.kill("SIGTERM");
    await server.outcome;
    await Deno.remove(folder, { recursive: true });
  }
});

// A Linux device on which every write fails as on a full disk.
const onLinux = { ignore: Deno.build.os !== "linux" };

Deno.test("loadtest.ts reports the result when its files cannot be written", onLinux, async () => {
  const { code, err, summary } = await loadTest(
    ...["--clients", "20", "--window", "100ms", "--json", "--quiet", ...ANY_LAG],
    ...["--history", "/dev/full", "--report", "/dev/full", "--junit", "/dev/full"],
  );
  assertEquals([code, summary.verdict], [1, "proven"]);
  assertEquals(err.trimEnd().split("\n"), [
    'error: Cannot write the history "/dev/full": No space left on device',
    'error: Cannot write "/dev/full": No space left on device',
    'error: Cannot write "/dev/full": No space left on device',
  ]);
});

Deno.test("loadtest.ts ends within seconds when its target is not there, and says so once", async () => {
  const { code, out, err } = await loadTest(
    ...["--target", "127.0.0.1:1", "--clients", "10", "--window", "100ms", "--quiet", ...ANY_LAG],
  );
  assertEquals(code, 1);
  const [headline = "", hint = "", ...rest] = out.split("\n");
  assertMatch(
    headline,
    /^FAILED: No client could connect, so the run ended after .*s: Cannot connect to 127\.0\.0\.1:1: refused$/,
  );
  assertEquals([hint, rest], ["  Start the server first, or correct --target", [""]]);
  assertMatch(err, /^warning: Could not connect .* so far: Cannot connect to 127\.0\.0\.1:1: refused\n$/);
});

Deno.test("loadtest.ts torture reports in one line that its target does not answer, and runs no case", async () => {
  const { code, out, err } = await loadTest("torture", "--target", "127.0.0.1:1");
  assertEquals([code, out], [1, ""]);
  assertEquals(
    err.trimEnd(),
    "error: Cannot torture 127.0.0.1:1, which does not serve an honest peer: Cannot connect: refused",
  );
});
