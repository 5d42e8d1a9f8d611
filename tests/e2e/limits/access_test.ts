/** TLS, tokens and addresses, from the command line, for every service that has them. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../../socket/mod.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { runClient, runServer, ServerProcess } from "../../_util/programs/program.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";

let authority: Authority;
let serverTls: string[];
let clientTls: string[];

Deno.test.beforeAll(async () => {
  authority = await Authority.create();
  await authority.issue("server");
  const { certificate, key, authority: ca } = authority.files;
  serverTls = ["--tls-cert", certificate, "--tls-key", key];
  clientTls = ["--tls", "--tls-ca", ca];
});

Deno.test.afterAll(async () => {
  await authority[Symbol.asyncDispose]();
});

Deno.test("server.ts and client.ts speak TLS, whatever the service", async () => {
  await using relay = await ServerProcess.start("relay", ...serverTls);
  const relayed = await runClient(["relay", "--clients", "3", "--port", `${relay.port}`, ...clientTls]);
  assertStringIncludes(relayed.out, "3 of 3 acknowledged");
  await using echo = await ServerProcess.start("echo", ...serverTls);
  const echoed = await runClient(["echo", "hello", "--port", `${echo.port}`, ...clientTls]);
  assertEquals([echoed.code, echoed.out.trim().split("\n")[0]], [0, "hello"]);
  const root = await Deno.makeTempDir();
  await Deno.writeTextFile(`${root}/greeting.txt`, "hello");
  await using files = await ServerProcess.start("files", "--root", root, ...serverTls);
  const listed = await runClient(["list", "--port", `${files.port}`, ...clientTls]);
  assertStringIncludes(listed.out, "greeting.txt");
  await Deno.remove(root, { recursive: true });
  await using http = await ServerProcess.start("http", ...serverTls);
  const [, , ca] = clientTls;
  const trusting = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(ca!)] });
  const response = await fetch(`https://127.0.0.1:${http.port}/time`, { client: trusting });
  assertEquals(response.status, 200);
  await response.body?.cancel();
  trusting.close();
});

Deno.test("client.ts reports when one side speaks TLS and the other does not", async () => {
  await using plain = await ServerProcess.start("echo");
  const secured = await runClient(["echo", "hello", "--port", `${plain.port}`, ...clientTls]);
  assertEquals(secured.code, 1);
  assertStringIncludes(secured.err, "Peer speaks plain text, not TLS");
  await using tls = await ServerProcess.start("echo", ...serverTls);
  const open = await runClient(["echo", "hello", "--port", `${tls.port}`]);
  assertStringIncludes(open.out + open.err, "error this port speaks TLS, not plain text");
});

Deno.test("server.ts serves only clients of --tls-client-ca", async () => {
  const { authority: ca } = authority.files;
  await authority.issue("alice");
  const { certificate, key } = authority.files;
  await using server = await ServerProcess.start("echo", ...serverTls, "--tls-client-ca", ca);
  const args = ["echo", "hello", "--port", `${server.port}`, ...clientTls];
  assertEquals((await runClient([...args, "--tls-cert", certificate, "--tls-key", key])).code, 0);
  assertEquals((await runClient(args)).code, 1);
});

Deno.test({
  name: "server.ts reloads its certificate on SIGHUP, and keeps the old one when that fails",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await authority.issue("server");
    const { certificate, key, authority: ca } = authority.files;
    await using server = await ServerProcess.start("echo", "--tls-cert", certificate, "--tls-key", key);
    const args = ["echo", "hello", "--port", `${server.port}`, "--tls", "--tls-ca", ca];
    assertEquals((await runClient(args)).code, 0);
    await using newer = await Authority.create();
    const identity = await newer.issue("server");
    await Deno.writeTextFile(certificate, "nonsense");
    server.signal("SIGHUP");
    await server.remarked("SIGHUP: keeping the old certificates: Cannot ");
    assertEquals((await runClient(args)).code, 0);
    await Deno.writeTextFile(certificate, identity.certificate);
    await Deno.writeTextFile(key, identity.key);
    server.signal("SIGHUP");
    await server.remarked("SIGHUP: reloaded the certificates");
    assertEquals((await runClient(args)).code, 1);
    assertEquals((await runClient([...args.slice(0, -1), newer.files.authority])).code, 0);
  },
});

Deno.test("server.ts requires --token, and never prints it", async () => {
  const token = ["--token", "open-sesame"];
  await using relay = await ServerProcess.start("relay", ...token);
  const args = ["relay", "--clients", "2", "--timeout", "1h", "--port", `${relay.port}`];
  assertStringIncludes((await runClient([...args, ...token])).out, "2 of 2 acknowledged");
  const fromEnvironment = await runClient(args, { env: { OKLINE_TOKEN: "open-sesame" } });
  assertStringIncludes(fromEnvironment.out, "2 of 2 acknowledged");
  const refused = await runClient([...args, "--token", "guess"]);
  assertStringIncludes(refused.out, "0 of 2 acknowledged");
  assertEquals(refused.code, 1);
  // Whichever is answered first.
  assertEquals(refused.err.split("\n").toSorted(), [
    "",
    "warning: Client 1: the server says wrong token",
    "warning: Client 2: the server says wrong token",
  ]);
  const empty = await runClient(args);
  assertEquals(empty.code, 1);
  assertStringIncludes(empty.err, "the server says expected auth TOKEN as the first line");
  const root = await Deno.makeTempDir();
  await using files = await ServerProcess.start("files", "--root", root, ...token);
  assertEquals((await runClient(["list", "--port", `${files.port}`, ...token])).code, 0);
  assertEquals((await runClient(["list", "--port", `${files.port}`])).code, 1);
  await Deno.remove(root);
  await using chat = await ServerProcess.start("chat", ...token);
  const guest = await connect({ port: chat.port });
  guest.send("Ann");
  assertEquals(
    (await guest[Symbol.asyncIterator]().next()).value,
    "error expected auth TOKEN as the first line",
  );
  guest.abort();
  const help = await runServer(["relay", "--help"], { env: { OKLINE_TOKEN: "open-sesame" } });
  assertEquals((help.out + help.err).includes("open-sesame"), false);
  const bad = await runServer(["relay", "--token", "xyzzy\\1", "--port", "0"]);
  assertEquals([bad.code, bad.err.includes("xyzzy")], [2, false]);
});

Deno.test("server.ts, client.ts, and loadtest.ts reject an invalid token without printing it", async () => {
  const broken = ["sesame\\n", "sesame\nmessage x", "sesame\x1b[31m"];
  for (const token of broken) {
    const commands = [
      ["server.ts", "relay", "--port", "0"],
      ["client.ts", "relay"],
      ["client.ts", "chat"],
      ["client.ts", "list"],
      ["loadtest.ts", "--clients", "1"],
    ] as const;
    for (const [program, ...args] of commands) {
      const { code, out, err } = await refusalOf(program, [...args, "--token", token]);
      assertEquals([code, out], [2, ""]);
      assertStringIncludes(err, "Cannot use --token: expected at least one character, no backslash");
      assertEquals(err.includes("sesame"), false);
    }
  }
});

Deno.test("server.ts refuses to start when OKLINE_TOKEN is empty", async () => {
  const { code, err } = await runServer(["relay", "--port", "0"], { env: { OKLINE_TOKEN: "" } });
  assertEquals(code, 2);
  assertStringIncludes(err, "Cannot use OKLINE_TOKEN: expected at least one character");
});

Deno.test("server.ts refuses addresses that --deny or --allow excludes", async () => {
  for (const options of [["--deny", "127.0.0.0/8"], ["--allow", "10.0.0.0/8", "--allow", "::1"]]) {
    await using server = await ServerProcess.start("echo", ...options);
    const { code, out, err } = await runClient(["echo", "hello", "--port", `${server.port}`]);
    assertEquals(code, 1);
    assertStringIncludes(out + err, "not allowed from this address");
  }
  await using server = await ServerProcess.start("echo", "--allow", "127.0.0.1");
  assertEquals((await runClient(["echo", "hello", "--port", `${server.port}`])).code, 0);
});

Deno.test("server.ts reports invalid TLS options, and does not start", async () => {
  const { certificate, key } = authority.files;
  const folder = await Deno.makeTempDir();
  const encrypted = `${folder}/encrypted.key`;
  await Deno.writeTextFile(
    encrypted,
    (await Deno.readTextFile(key)).replaceAll("PRIVATE", "ENCRYPTED PRIVATE"),
  );
  const cases: [args: string[], code: number, says: string][] = [
    [["--tls-cert", certificate], 2, "expected one key per certificate"],
    [["--tls-cert", "/nowhere.pem", "--tls-key", key], 1, "no such file"],
    [
      ["--tls-cert", key, "--tls-key", key],
      1,
      `Cannot use "${key}" for TLS: There is no certificate in PEM`,
    ],
    [
      ["--tls-cert", serverTls[1]!, "--tls-key", key],
      1,
      `and "${key}" for TLS: Private key does not belong to the certificate`,
    ],
    [
      ["--tls-cert", certificate, "--tls-key", certificate],
      1,
      `"${certificate}" for TLS: There is no private key in PEM`,
    ],
    [
      ["--tls-cert", certificate, "--tls-key", encrypted],
      1,
      `Cannot use "${encrypted}" for TLS: Private key is encrypted`,
    ],
    [["--allow", "localhost"], 2, "localhost"],
  ];
  for (const [args, code, says] of cases) {
    const outcome = await refusalOf("server.ts", ["echo", "--port", "0", ...args]);
    assertEquals(outcome.code, code, outcome.err);
    assertStringIncludes(outcome.err, says);
  }
  await Deno.remove(folder, { recursive: true });
});
