/** `loadtest.ts torture` as its users have it: exit codes, words, JSON and JUnit. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BrokenServer } from "../../_util/programs/broken_server.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { loadTest, readOr } from "../../_util/loadtest/loadtest_program.ts";
import { ServerProcess } from "../../_util/programs/program.ts";

const SMALL = ["--scale", "0.003", "--json", "--quiet"];

Deno.test("loadtest.ts torture --tls attacks a spawned relay, and measures its process", async () => {
  const { code, out, summary } = await loadTest("torture", ...SMALL, "--tls");
  assertEquals([code, summary.verdict, summary.cases, summary.failed, summary.faults], [
    0,
    "survived",
    14,
    0,
    [],
  ]);
  const server = summary.server as Record<"before" | "after", { sockets: number; memory: number }>;
  // Nobody but the listener: this is what all of them came back to.
  assertEquals(server.after.sockets <= server.before.sockets, true);
  assertEquals(out.trimEnd().split("\n").length, 15);
});

Deno.test("loadtest.ts torture reports a server that dies, stops, and writes JUnit", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/torture.xml`;
    await using server = new BrokenServer({
      read: (session, bytes) =>
        bytes[0] === 0xff ? session.crash() : session.take(String.fromCharCode(...bytes)),
    });
    const { code, out } = await loadTest(
      ...["torture", "--target", `127.0.0.1:${server.port}`, "--junit", file, "--max-line", "1KiB"],
      ...["--scale", "0.003", "--patience", "2s"],
    );
    assertEquals(code, 1);
    assertStringIncludes(
      out,
      'FAILED: The server does not answer since "invalid UTF-8, NUL, escape sequences": 9 cases',
    );
    const xml = readOr(file);
    assertMatch(xml, /<testsuite name="okline torture" tests="6" failures="2" errors="0" skipped="0"/);
    assertMatch(
      xml,
      /name="invalid UTF-8, NUL, escape sequences" time="[\d.]+"><failure message="Cannot connect/,
    );
    assertMatch(xml, /name="the end" time="0.000"><failure message="The server does not answer since/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadtest.ts torture reports a failed probe and an option to try, and runs no case", async () => {
  await using authority = await Authority.create();
  await authority.issue("okline");
  const { certificate, key, authority: ca } = authority.files;
  await using tls = await ServerProcess.start("echo", "--tls-cert", certificate, "--tls-key", key);
  const target = `127.0.0.1:${tls.port}`;
  const plain = await loadTest("torture", "--target", target, "--quiet");
  assertEquals([plain.code, plain.out, plain.err.trimEnd()], [
    1,
    "",
    `error: Cannot torture ${target}, which does not serve an honest peer: it speaks TLS, and a peer without TLS gets ` +
    "no answer: use --tls",
  ]);
  const secured = await loadTest(
    "torture",
    "--target",
    target,
    "--tls",
    "--tls-ca",
    ca,
    "--only",
    "CR",
    ...SMALL,
  );
  assertEquals([secured.code, secured.summary.cases, secured.summary.unjudged], [0, 1, 0]);

  await using plaintext = await ServerProcess.start("echo");
  const wrong = await loadTest(
    "torture",
    "--target",
    `127.0.0.1:${plaintext.port}`,
    "--quiet",
    "--tls",
    "--tls-ca",
    ca,
  );
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.err, "Cannot connect: it speaks plain text, not TLS");

  await using choosy = new BrokenServer({
    read: async (session, bytes) => {
      if (String.fromCharCode(...bytes) === "PING\r\n") await session.say("PONG\n");
    },
  });
  const unasked = [
    "torture",
    "--target",
    `127.0.0.1:${choosy.port}`,
    "--only",
    "random",
    "--patience",
    "500ms",
  ];
  const unanswered = await loadTest(...unasked, ...SMALL);
  assertEquals(unanswered.code, 1);
  assertStringIncludes(
    unanswered.err,
    'no answer within 500 ms to "okline torture probe\\r\\n": set a request',
  );
  const asked = await loadTest(...unasked, ...SMALL, "--probe", "PING\\r\\n");
  assertEquals([asked.code, asked.summary.verdict], [0, "survived"]);
});

Deno.test("loadtest.ts torture rejects options without an effect", async () => {
  const refused: readonly (readonly [options: readonly string[], why: string])[] = [
    [
      ["--only", "nothing"],
      'No case has "nothing" in its name: expected part of split at every byte, line limit,',
    ],
    [["--pid", "1"], "Cannot use --pid without --target"],
    [
      ["--tls-ca", "ca.pem"],
      "Cannot use --tls-ca, --tls-cert, --tls-key, or --tls-server-name without --tls",
    ],
    [["--tls", "--tls-server-name", "a"], "or --tls-server-name without --target"],
    [["--probe", "\\x"], "--probe"],
  ];
  for (const [options, why] of refused) {
    const { code, out, err } = await loadTest("torture", ...options);
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, why);
  }
  const gone = await loadTest("torture", "--target", "127.0.0.1:1", "--pid", "4194305");
  assertEquals([gone.code, gone.err.trimEnd()], [
    1,
    "error: Cannot observe process 4194305: it does not exist, or belongs to another user",
  ]);
});
