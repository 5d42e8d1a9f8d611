/** TLS of the server as `openssl` sees it, and of clients and gateways. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Authority } from "../../_util/tls/certificates.ts";
import { exchange } from "../../_util/network/exchange.ts";
import { TempDir } from "../../_util/temp_dir.ts";
import { type Outcome, run, runClient, runServer, ServerProcess } from "../../_util/programs/program.ts";

let authority: Authority;
let pair: string[];
let named: string[];
let trust: string[];

/** The options that make a server use the certificate that was issued last. */
function lastIssued(): string[] {
  const { certificate, key } = authority.files;
  return ["--tls-cert", certificate, "--tls-key", key];
}

Deno.test.beforeAll(async () => {
  authority = await Authority.create();
  await authority.issue("server", ["IP:127.0.0.1", "DNS:localhost"]);
  pair = lastIssued();
  await authority.issue("second", ["DNS:a.test", "DNS:*.b.test"]);
  named = lastIssued();
  trust = ["--tls-ca", authority.files.authority];
});

Deno.test.afterAll(async () => {
  await authority[Symbol.asyncDispose]();
});

/** A handshake with a server, and what it came to. */
async function shake(server: ServerProcess, ...options: readonly string[]): Promise<Outcome> {
  const where = ["-connect", `127.0.0.1:${server.port}`, "-CAfile", authority.files.authority];
  return await run(["openssl", "s_client", ...where, ...options], { stdin: "" });
}

Deno.test("server.ts chooses among several certificates by server name", async () => {
  await using server = await ServerProcess.start("echo", ...pair, ...named);
  const seen: [name: string, subject: string][] = [];
  for (const name of ["localhost", "a.test", "A.TEST", "x.b.test", "x.y.b.test", "b.test"]) {
    const { out } = await shake(server, "-servername", name);
    assertStringIncludes(out, "Verification: OK");
    seen.push([name, /^subject=CN ?= ?(.*)$/m.exec(out)?.[1] ?? ""]);
  }
  assertEquals(seen, [
    ["localhost", "server"],
    ["a.test", "second"],
    ["A.TEST", "second"],
    ["x.b.test", "second"],
    ["x.y.b.test", "server"],
    ["b.test", "server"],
  ]);
  const args = ["echo", "hello", "--port", `${server.port}`, "--tls", ...trust];
  assertEquals((await runClient([...args, "--tls-server-name", "a.test"])).code, 0);
  const other = await runClient([...args, "--tls-server-name", "elsewhere.test"]);
  assertEquals(other.code, 1);
  assertStringIncludes(other.err, "elsewhere.test");
});

Deno.test("server.ts offers http/1.1 by ALPN for http, and --tls-alpn for other services", async () => {
  await using http = await ServerProcess.start("http", ...pair);
  assertStringIncludes((await shake(http, "-alpn", "h2,http/1.1")).out, "ALPN protocol: http/1.1");
  assertEquals((await shake(http, "-alpn", "h2")).code, 1);
  await using echo = await ServerProcess.start(
    "echo",
    ...pair,
    "--tls-alpn",
    "okline/2",
    "--tls-alpn",
    "okline/1",
  );
  assertStringIncludes((await shake(echo, "-alpn", "okline/1,okline/2")).out, "ALPN protocol: okline/2");
  await using bare = await ServerProcess.start("echo", ...pair);
  assertStringIncludes((await shake(bare, "-alpn", "h2")).out, "No ALPN negotiated");
});

Deno.test("server.ts http serves https: targets only over TLS, and http: targets only without", async () => {
  await using http = await ServerProcess.start("http");
  await using https = await ServerProcess.start("http", ...pair);
  const request = (scheme: string) =>
    `GET ${scheme}://host/%74ime HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n`;
  const secured = async (scheme: string) => {
    const where = ["-connect", `127.0.0.1:${https.port}`, "-quiet", "-ign_eof"];
    return (await run(["openssl", "s_client", ...where], { stdin: request(scheme) })).out;
  };
  assertStringIncludes(await secured("https"), '\r\n\r\n{"time":"');
  assertStringIncludes(await exchange(http.port, request("http")), '\r\n\r\n{"time":"');
  assertStringIncludes(await secured("http"), "HTTP/1.1 421 Misdirected Request\r\n");
  assertStringIncludes(await exchange(http.port, request("https")), "HTTP/1.1 421 Misdirected Request\r\n");
});

Deno.test("server.ts --tls-min-version refuses older versions", async () => {
  const options = [...pair, "--tls-min-version", "TLSv1.3", "--verbose"];
  await using server = await ServerProcess.start("echo", ...options);
  assertEquals((await shake(server, "-tls1_2")).code, 1);
  await server.remarked("closed, tls-failed: Peer does not speak TLS 1.3: ");
  assertEquals((await shake(server, "-tls1_3")).code, 0);
  await using lenient = await ServerProcess.start("echo", ...pair);
  assertEquals((await shake(lenient, "-tls1_2")).code, 0);
});

Deno.test("client.ts http and hello speak TLS, and trust only --tls-ca", async () => {
  await using http = await ServerProcess.start("http", ...pair);
  const secure = `https://127.0.0.1:${http.port}/time`;
  const trusted = await runClient(["http", "GET", secure, ...trust]);
  assertStringIncludes(trusted.out, '{"time":"');
  const strange = await runClient(["http", "GET", secure]);
  assertEquals([strange.code, strange.out], [1, ""]);
  assertStringIncludes(strange.err, "TLS certificate refused");
  const plain = `http://127.0.0.1:${http.port}/time`;
  assertStringIncludes((await runClient(["http", "GET", plain, "--tls", ...trust])).out, '{"time":"');
  const mixed = await runClient(["http", "GET", plain, ...trust]);
  assertEquals(mixed.code, 2);
  assertStringIncludes(mixed.err, "without --tls");
  await using hello = await ServerProcess.start("hello", "--delay", "0", ...pair);
  const args = ["hello", "--clients", "2", "--port", `${hello.port}`];
  const greeted = await runClient([...args, "--tls", ...trust]);
  assertEquals([greeted.code, greeted.out.match(/Hello World!/g)?.length], [0, 2]);
  assertEquals((await runClient([...args, "--tls"])).code, 1);
});

Deno.test("server.ts proxy and balance terminate TLS, and speak it to backends with --to-tls", async () => {
  await using plain = await ServerProcess.start("echo");
  const to = ["--to", `127.0.0.1:${plain.port}`];
  for (const name of ["proxy", "balance"]) {
    await using front = await ServerProcess.start(name, ...to, ...pair);
    const args = ["echo", "hello", "--port", `${front.port}`, "--tls", ...trust];
    assertEquals((await runClient(args)).out, "hello\n");
  }
  await using secure = await ServerProcess.start("echo", ...pair);
  const back = ["--to", `127.0.0.1:${secure.port}`, "--to-tls", "--to-tls-ca", authority.files.authority];
  for (const name of ["proxy", "balance"]) {
    await using front = await ServerProcess.start(name, ...back);
    assertEquals((await runClient(["echo", "hello", "--port", `${front.port}`])).out, "hello\n");
  }
});

Deno.test("server.ts names a certificate that it cannot use, and does not start", async () => {
  await authority.issue("nameless", ["IP:127.0.0.1"]);
  const nameless = lastIssued();
  const [, certificate = "", , key = ""] = pair;
  const cases: [args: string[], code: number, says: string][] = [
    [
      [...pair, "--tls-cert", certificate],
      2,
      "got 2 --tls-cert and 1 --tls-key, expected one key per certificate",
    ],
    [[...pair, ...nameless], 1, "by server name: it contains no name"],
    [[...pair, ...named, ...named], 1, "Cannot choose a certificate for a.test: both "],
    [[...pair, "--tls-cert", key, "--tls-key", key], 1, `Cannot use "${key}"`],
    [["--tls-alpn", "x"], 2, "without --tls-cert and --tls-key"],
    [["--tls-min-version", "TLSv1.3"], 2, "without --tls-cert and --tls-key"],
  ];
  for (const [args, code, says] of cases) {
    const outcome = await runServer(["echo", "--port", "0", ...args]);
    assertEquals([outcome.code, outcome.out], [code, ""], outcome.err);
    assertStringIncludes(outcome.err, says);
  }
});

Deno.test("server.ts http and hello refuse clients with an HTTP response", async () => {
  for (const service of [["http"], ["hello", "--delay", "0"]]) {
    await using secure = await ServerProcess.start(
      ...service as [string],
      ...pair,
      "--tls-client-ca",
      trust[1]!,
    );
    const plain = await runClient(["http", "GET", `http://127.0.0.1:${secure.port}/`]);
    assertStringIncludes(plain.out, "HTTP/1.1 400 Bad Request");
    assertStringIncludes(plain.out, "this port speaks TLS, not plain text\n");
    const stranger = await runClient(["http", "GET", `https://127.0.0.1:${secure.port}/`, ...trust]);
    assertStringIncludes(stranger.out, "HTTP/1.1 400 Bad Request");
    assertStringIncludes(stranger.out, "TLS certificate refused: the client sent none\n");
  }
});

Deno.test("client.ts fails immediately when it speaks TLS to a plain server of any service", async () => {
  await using root = new TempDir();
  for (
    const service of [["relay"], ["echo"], ["hello"], ["chat"], ["http"], ["files", "--root", root.path]]
  ) {
    await using plain = await ServerProcess.start(...service as [string]);
    const args = ["echo", "hi", "--port", `${plain.port}`, "--timeout", "3s", "--tls", ...trust];
    const { code, err } = await runClient(args);
    assertEquals(code, 1);
    assertStringIncludes(err, "Peer speaks plain text, not TLS");
  }
});

Deno.test("server.ts warns about an expired certificate, and serves", async () => {
  await authority.issue("old", ["IP:127.0.0.1"], { days: -1 });
  const old = lastIssued();
  await using server = await ServerProcess.start("echo", ...old);
  await server.remarked(`warning: Certificate "${old[1]}" has expired: it was valid until `);
  const { code, err } = await runClient(["echo", "hi", "--port", `${server.port}`, "--tls", ...trust]);
  assertEquals(code, 1);
  assertStringIncludes(err, "certificate has expired");
});
