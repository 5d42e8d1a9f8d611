/** Load tests over TLS and with a token, against spawned and running servers. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { commandAgain } from "../../../cli/loadtest/report.ts";
import { createCertificate } from "../../../cli/loadtest/self_signed.ts";
import { connect } from "../../../socket/mod.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { loadTest, type Outcome, startLoadTest } from "../../_util/loadtest/loadtest_program.ts";
import { denoRun, run, ServerProcess } from "../../_util/programs/program.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";
import { TempDir } from "../../_util/temp_dir.ts";

// Handshakes take most of the time.
const CLIENTS = 50;
const SMALL = ["--clients", `${CLIENTS}`, "--window", "2s", "--json", ...ANY_LAG];

/** Asserts that everything was delivered, and nothing left. */
function assertDelivered(outcome: Pick<Outcome, "code" | "summary">, verdict: "proven" | "delivered"): void {
  const { code, summary } = outcome;
  const { acked, lost, unexpected, resent, reconnects, findings, server } = summary;
  assertEquals([code, summary.verdict, findings], [0, verdict, []]);
  assertEquals({ acked, lost, unexpected, resent, reconnects }, {
    acked: CLIENTS,
    lost: 0,
    unexpected: 0,
    resent: 0,
    reconnects: 0,
  });
  if (verdict === "delivered") return assertEquals(server, null);
  const { closed, ...state } = server as { closed: Record<string, number> };
  assertEquals(closed.natural, CLIENTS);
  assertEquals(state, { connections: 0, pending: 0, timers: 0, queuedBytes: 0, descriptors: 0 });
}

for (const options of [["--token", "sesame"], ["--protocol", "echo"], ["--protocol", "hello"]]) {
  Deno.test(`loadtest.ts --tls ${options.join(" ")} proves a spawned server`, async () => {
    const outcome = await loadTest(...SMALL, "--quiet", "--tls", ...options);
    assertDelivered(outcome, "proven");
  });
}

const GUARDED: readonly (readonly [options: readonly string[], refusal: string])[] = [
  [["--tls"], "error this port speaks TLS, not plain text"],
  [["--token", "sesame"], "error expected auth TOKEN as the first line"],
];

for (const [options, refusal] of GUARDED) {
  Deno.test(`loadtest.ts ${options.join(" ")} spawns a server that refuses other clients`, async () => {
    const test = startLoadTest(...SMALL, ...options);
    const said = await test.says("a spawned relay server, 127.0.0.1:");
    const port = Number(/a spawned relay server, 127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
    const stranger = await connect({ port });
    stranger.send("message hello");
    assertEquals((await stranger[Symbol.asyncIterator]().next()).value, refusal);
    await stranger.close();
    assertEquals((await test.outcome).summary.acked, CLIENTS);
  });
}

Deno.test("loadtest.ts reads its token from the environment, and removes its certificate", async () => {
  await using folder = new TempDir();
  const env = { OKLINE_TOKEN: "sesame", TMPDIR: folder.path };
  const args = [...SMALL, "--quiet", "--tls", "--processes", "2"];
  const { code, out } = await run(denoRun("loadtest.ts", args), { env });
  const summary = JSON.parse(out.trimEnd().split("\n").at(-1)!);
  assertDelivered({ code, summary }, "proven");
  assertEquals(await folder.names(), []);
});

Deno.test("loadtest.ts --tls and --token reach a running server, and fail without them", async () => {
  await using authority = await Authority.create();
  await authority.issue("server");
  const { certificate, key, authority: ca } = authority.files;
  const guarded = ["--tls-cert", certificate, "--tls-key", key, "--token", "sesame"];
  await using server = await ServerProcess.start("relay", ...guarded);
  const at = ["--json", "--quiet", "--target", `127.0.0.1:${server.port}`];
  const access = ["--tls", "--tls-ca", ca];
  const good = await loadTest(...SMALL, ...at.slice(1), ...access, "--token", "sesame");
  assertDelivered(good, "delivered");
  const one = [...at, "--clients", "1", "--window", "100ms", "--timeout", "500ms", "--deadline", "2s"];
  const refused = await loadTest(...one, ...access, "--token", "guess");
  assertEquals([refused.code === 0, refused.summary.acked], [false, 0]);
  const strange = await loadTest(...one, "--tls", "--token", "sesame");
  assertEquals([strange.code === 0, strange.summary.acked], [false, 0]);
});

Deno.test("loadtest.ts reports conflicting TLS and token options, and starts nothing", async () => {
  const cases: [args: string[], code: number, says: string][] = [
    [["--tls-ca", "ca.pem"], 2, "without --tls"],
    [["--tls", "--tls-ca", "/nowhere.pem", "--target", "127.0.0.1:1"], 1, "no such file"],
    [["--tls", "--tls-server-name", "a.test"], 2, "without --target"],
    [["--token", "x", "--protocol", "echo"], 2, "without --protocol relay"],
  ];
  for (const [args, code, says] of cases) {
    const outcome = await refusalOf("loadtest.ts", args);
    assertEquals([outcome.code, outcome.out], [code, ""], outcome.err);
    assertStringIncludes(outcome.err, says);
  }
});

Deno.test(
  "commandAgain() shows every option except the token",
  { permissions: { read: false, env: false } },
  () => {
    for (const token of [["--token", "sesame"], ["--token=sesame"]]) {
      const again = commandAgain(["--tls", ...token, "--clients", "9", "--max-lag", "1s"], 7);
      assertMatch(again, /--tls --clients 9 --max-lag 1s --seed 7$/);
    }
  },
);

Deno.test("createCertificate() creates a unique certificate that openssl accepts", async () => {
  await using folder = new TempDir();
  const addresses = ["127.0.0.1", "127.0.0.2"];
  const { certificate } = await createCertificate(addresses);
  await folder.write("certificate.pem", certificate);
  const file = `${folder.path}/certificate.pem`;
  for (const address of addresses) {
    const { code, out, err } = await run(["openssl", "verify", "-CAfile", file, "-verify_ip", address, file]);
    assertEquals([code, out], [0, `${file}: OK\n`], err);
  }
  const other = await run(["openssl", "verify", "-CAfile", file, "-verify_ip", "127.0.0.3", file]);
  assertStringIncludes(other.err, "IP address mismatch");
  assertEquals((await createCertificate(addresses)).certificate === certificate, false);
});
