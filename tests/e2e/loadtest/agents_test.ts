// Load tests whose clients run at agents.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ExitCode } from "../../../cli/terminal/exit.ts";
import { listen } from "../../../socket/mod.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { AGENT_TOKEN, Agents, startRelay } from "../../_util/loadtest/agents.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { childrenOf, loadTest, startLoadTest, when } from "../../_util/loadtest/loadtest_program.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";
import { TempDir } from "../../_util/temp_dir.ts";

interface AgentMetrics {
  readonly name: string;
  readonly processes: number;
  readonly clockOffsetMs: number;
  readonly roundTripMs: number;
}

/** Runs a load test that must be refused. Options alone need no process; one that connects leaves that to its end. */
async function attemptOf(expected: number, args: readonly string[]): Promise<{ code: number; err: string }> {
  return expected === ExitCode.usage ? await refusalOf("loadtest.ts", args) : await loadTest(...args);
}

Deno.test("loadtest.ts run --agents proves what three agents did, and shows their clocks", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(3);
  await using folder = new TempDir();
  const report = `${folder.path}/run.html`;
  const plan = ["--clients", "301", "--window", "1s", "--seed", "5", "--reply-delay", "uniform:0s-200ms"];
  const { code, summary, err } = await loadTest(
    ...["run", ...relay.options, ...agents.options, ...plan, ...ANY_LAG, "--json", "--report", report],
    ...["--threshold", "lost==0", "--processes", "4"],
  );
  assertEquals([code, summary.verdict], [0, "proven"], err);
  assertEquals([summary.acked, summary.started, summary.lost], [301, 301, 0]);
  assertEquals(summary.closed, { natural: 301, timeout: 0, error: 0 });
  const shown = summary.agents as AgentMetrics[];
  assertEquals(shown.map(({ name }) => name).sort(), agents.all.map(({ address }) => address).sort());
  for (const { name, processes, clockOffsetMs, roundTripMs } of shown) {
    assertEquals(processes, 2);
    // They have one clock.
    assert(Math.abs(clockOffsetMs) <= roundTripMs / 2 + 1, `${clockOffsetMs} ${roundTripMs}`);
    assertStringIncludes(Deno.readTextFileSync(report), `Agent ${name}`);
  }
  assertEquals(Deno.readTextFileSync(report).includes(AGENT_TOKEN), false);
  // Ready for the next one.
  for (const { program } of agents.all) await program.says("Ready for the next load test");
  assertEquals((await loadTest("run", ...relay.options, ...agents.options, ...plan, ...ANY_LAG)).code, 0);
});

Deno.test("loadtest.ts run names an agent that is killed in mid-run, and fails", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(3);
  const load = startLoadTest(
    ...[
      "run",
      ...relay.options,
      ...agents.options,
      "--clients",
      "300",
      "--window",
      "8s",
      ...ANY_LAG,
      "--json",
    ],
  );
  await load.says("acked");
  const [victim] = agents.all;
  await agents.kill(0);
  const { code, summary } = await load.outcome;
  assertEquals([code, summary.verdict], [1, "failed"]);
  const findings = summary.findings as { readonly kind: string; readonly text: string }[];
  const [died] = findings.filter(({ kind }) => kind === "died");
  assertStringIncludes(died!.text, `at the agent ${victim!.address} ended before the run did`);
  // The clients of the others were not affected.
  assertEquals(summary.acked, 200, JSON.stringify(summary));
});

Deno.test("loadtest.ts run stops its agents at Ctrl-C", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(2);
  const load = startLoadTest(
    ...[
      "run",
      ...relay.options,
      ...agents.options,
      "--clients",
      "400",
      "--window",
      "60s",
      ...ANY_LAG,
      "--json",
    ],
  );
  await load.says("acked");
  const processes = agents.all.flatMap(({ program }) => childrenOf(program.pid, "generator"));
  assertEquals(processes.length, 2);
  load.kill("SIGINT");
  const { code, summary } = await load.outcome;
  assertEquals([code, summary.verdict], [130, "interrupted"]);
  await when(() => agents.all.every(({ program }) => childrenOf(program.pid, "generator").length === 0));
});

Deno.test("loadtest.ts run sends a scenario and its data to the agents", async () => {
  await using echo = listen({ port: 0 });
  echo.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  await using agents = await Agents.start(2);
  await using folder = new TempDir();
  await folder.write("names.csv", "name\nann\nbob\ncy\ndan\n");
  await folder.write(
    "echo.ts",
    `import { lineCodec, scenario } from "@okline/okline/loadtest";
    export default scenario({
      codec: lineCodec(),
      data: "names.csv",
      async session(t) {
        await t.ask(t.row.name!, { expect: t.row.name! });
      },
    });`,
  );
  const target = `127.0.0.1:${echo.port}`;
  const run = ["run", `${folder.path}/echo.ts`, "--no-check", "--target", target, ...agents.options];
  const { code, summary, err } = await loadTest(
    ...run,
    "--clients",
    "4",
    "--window",
    "100ms",
    "--json",
    ...ANY_LAG,
  );
  assertEquals([code, summary.verdict, summary.acked], [0, "delivered", 4], err);
  await folder.write("echo.ts", 'import "./more.ts";\n' + await folder.read("echo.ts"));
  await folder.write("more.ts", "export {};");
  const more = await loadTest(...run, "--clients", "4");
  assertEquals(more.code, 2);
  assertStringIncludes(more.err, "Cannot send echo.ts to agents: it imports ./more.ts");
});

Deno.test("loadtest.ts run --agent-tls reaches agents over TLS, and only those that it trusts", async () => {
  await using authority = await Authority.create();
  await using stranger = await Authority.create();
  await authority.issue("agent");
  const { certificate, key, authority: ca } = authority.files;
  const tls = ["--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", ca];
  await using agents = await Agents.start(1, ...tls);
  await using relay = await startRelay();
  const run = [
    "run",
    ...relay.options,
    ...agents.options,
    "--clients",
    "10",
    "--window",
    "100ms",
    ...ANY_LAG,
  ];
  const trusted = ["--agent-tls", "--agent-tls-ca", ca];
  const identity = ["--agent-tls-cert", certificate, "--agent-tls-key", key];
  const { code, summary, err } = await loadTest(...run, ...trusted, ...identity, "--json");
  assertEquals([code, summary.verdict, summary.acked], [0, "proven", 10], err);
  const refused: [number, string, string[]][] = [
    [1, "Cannot use the agent 127.0.0.1:", trusted],
    [1, "certificate refused", ["--agent-tls", "--agent-tls-ca", stranger.files.authority, ...identity]],
    [1, "Cannot use the agent 127.0.0.1:", []],
    [2, "without --agent-tls", ["--agent-tls-ca", ca]],
    [2, "without --agent-tls-key", [...trusted, "--agent-tls-cert", certificate]],
  ];
  for (const [expected, text, options] of refused) {
    const attempt = await attemptOf(expected, [...run, ...options]);
    assertEquals(attempt.code, expected, attempt.err);
    assertStringIncludes(attempt.err, text);
  }
  // It serves the next one all the same.
  assertEquals((await loadTest(...run, ...trusted, ...identity)).code, 0);
});

Deno.test("loadtest.ts agent reloads its certificate on SIGHUP, also while it runs a load test", async () => {
  await using authority = await Authority.create();
  await authority.issue("agent");
  const { certificate, key, authority: ca } = authority.files;
  await using newer = await Authority.create();
  const identity = await newer.issue("agent");
  await using agents = await Agents.start(1, "--tls-cert", certificate, "--tls-key", key);
  const { program } = agents.all[0]!;
  await using relay = await startRelay();
  const run = ["run", ...relay.options, ...agents.options, "--clients", "40", ...ANY_LAG, "--agent-tls"];
  const [trustsOld, trustsNew] = [ca, newer.files.authority].map((file) => ["--agent-tls-ca", file]);
  const running = startLoadTest(...run, ...trustsOld!, "--window", "3s");
  await relay.accepted(2);
  await Deno.writeTextFile(certificate, "nonsense");
  program.kill("SIGHUP");
  await program.says("SIGHUP: keeping the old certificates: Cannot ");
  await Deno.writeTextFile(certificate, identity.certificate);
  await Deno.writeTextFile(key, identity.key);
  program.kill("SIGHUP");
  await program.says("SIGHUP: reloaded the certificates");
  // Its connection is unaffected.
  const { code, err } = await running.outcome;
  assertEquals(code, 0, err);
  const refused = await refusalOf("loadtest.ts", [...run, ...trustsOld!, "--window", "100ms"]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.err, "certificate refused");
  assertEquals((await loadTest(...run, ...trustsNew!, "--window", "100ms")).code, 0);
});

Deno.test("loadtest.ts agent warns when its token travels in plain text", async () => {
  const agent = startLoadTest("agent", "--listen", "0.0.0.0:0", "--token", AGENT_TOKEN);
  assertStringIncludes(await agent.says("plain text"), "use --tls-cert and --tls-key");
  agent.kill("SIGTERM");
  assertEquals((await agent.outcome).code, 0);
});

Deno.test("loadtest.ts rejects agents that it cannot use", async () => {
  await using agents = await Agents.start(1);
  const target = ["--target", "127.0.0.1:9"];
  const cases: [number, string, string[]][] = [
    [2, "--target is missing", agents.options],
    [2, "--agent-token", [...target, ...agents.options.slice(0, 2)]],
    [1, "wrong token", [...target, ...agents.options.slice(0, 2), "--agent-token", "another"]],
    [1, "Cannot reach the agent 127.0.0.1:1", [
      ...target,
      "--agents",
      "127.0.0.1:1",
      "--agent-token",
      AGENT_TOKEN,
    ]],
  ];
  for (const [expected, text, args] of cases) {
    const { code, err } = await attemptOf(expected, ["run", ...args]);
    assertEquals(code, expected, err);
    assertStringIncludes(err, text);
  }
  const { code, err } = await refusalOf("loadtest.ts", ["agent", "--listen", "127.0.0.1:0"]);
  assertEquals(code, 2);
  assertStringIncludes(err, "--token");
});
