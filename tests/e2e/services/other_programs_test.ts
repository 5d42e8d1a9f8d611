// The services and the clients that people have already: nc, curl, ab, wrk, socat, sha256sum.
import { assertEquals, assertGreaterOrEqual, assertMatch, assertStringIncludes } from "@std/assert";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { denoRun, run, ServerProcess } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** Returns the answer of a server to `stdin` through `nc`, which ends when the server has ended. */
async function nc(port: number, stdin: string): Promise<string> {
  const { code, out, err } = await run(["nc", "-N", "127.0.0.1", `${port}`], { stdin });
  assertEquals([code, err], [0, ""]);
  return out;
}

Deno.test("server.ts relay delivers a message of nc to itself, and its ok", async () => {
  await using server = await ServerProcess.start("relay");
  assertEquals(await nc(server.port, "message hello\nok hello\n"), "message hello\nok hello\n");
});

Deno.test("server.ts echo answers nc, with CRLF, and good lines before a bad one", async () => {
  await using server = await ServerProcess.start("echo", "--max-line", "10B");
  assertEquals(await nc(server.port, "hello\r\nthere\n"), "hello\nthere\n");
  assertMatch(await nc(server.port, "hello\nfar too long a line\n"), /^hello\nerror line is over /);
});

Deno.test("server.ts hello responds to curl and to a line from nc after the delay", async () => {
  await using server = await ServerProcess.start("hello", "--delay", "150ms");
  const { code, out } = await run([
    "curl",
    "--silent",
    "--include",
    "--write-out",
    "%{time_total}",
    `http://127.0.0.1:${server.port}/any/path`,
  ]);
  assertEquals(code, 0);
  const [head, body] = out.split("\r\n\r\n");
  assertMatch(head!, /^HTTP\/1\.1 200 OK\r\n/);
  assertMatch(head!, /^content-length: 13\r?$/im);
  assertMatch(head!, /^connection: close\r?$/im);
  const [text, seconds] = body!.split("\n");
  assertEquals([text, Number(seconds) >= 0.15], ["Hello World!", true]);
  assertStringIncludes(await nc(server.port, "anything\n"), "\r\n\r\nHello World!\n");
});

Deno.test("server.ts hello serves ab -n 100 -c 10 without a failed request", async () => {
  await using server = await ServerProcess.start("hello", "--delay", "20ms");
  const { code, out } = await run(["ab", "-q", "-n", "100", "-c", "10", `http://127.0.0.1:${server.port}/`]);
  assertEquals(code, 0);
  assertMatch(out, /^Complete requests: +100$/m);
  assertMatch(out, /^Failed requests: +0$/m);
  assertEquals(out.includes("Non-2xx"), false);
});

Deno.test("server.ts hello delays five hundred clients in parallel", async () => {
  await using server = await ServerProcess.start("hello", "--delay", "2s");
  const { out } = await run(["ab", "-q", "-n", "500", "-c", "500", `http://127.0.0.1:${server.port}/`]);
  assertMatch(out, /^Complete requests: +500$/m);
  assertMatch(out, /^Failed requests: +0$/m);
  // It opens one more than it uses.
  assertGreaterOrEqual(Number((await server.state()).peakConnections), 500);
});

for (const [service, options] of [["hello", ["--delay", "0"]], ["http", []]] as const) {
  Deno.test(`server.ts ${service} serves wrk without a socket error or a bad status`, async () => {
    await using server = await ServerProcess.start(service, ...options);
    const { code, out } = await run(["wrk", "-t1", "-c10", "-d1s", `http://127.0.0.1:${server.port}/`]);
    assertEquals(code, 0);
    assertMatch(out, /^ +[1-9]\d* requests in /m);
    assertEquals(/Socket errors|Non-2xx/.exec(out), null, out);
  });
}

Deno.test("server.ts http serves ab, with and without keep-alive", async () => {
  await using server = await ServerProcess.start("http");
  for (const options of [[], ["-k"]]) {
    const { out } = await run([
      "ab",
      "-q",
      ...options,
      "-n",
      "100",
      "-c",
      "10",
      `http://127.0.0.1:${server.port}/`,
    ]);
    assertMatch(out, /^Complete requests: +100$/m);
    assertMatch(out, /^Failed requests: +0$/m);
  }
});

Deno.test("server.ts http serves its store to curl, with sized and chunked bodies", async () => {
  await using server = await ServerProcess.start("http");
  const url = `http://127.0.0.1:${server.port}`;
  const curl = async (...args: string[]): Promise<string> => (await run(["curl", "--silent", ...args])).out;
  assertMatch(await curl(`${url}/time`), /^\{"time":"\d{4}-/);
  assertStringIncludes(await curl(`${url}/`), "<html");
  const json = ["--header", "Content-Type: application/json"];
  assertEquals(await curl(`${url}/items`, ...json, "--data", "[1]"), '{"id":1,"value":[1]}\n');
  const chunked = ["--header", "Transfer-Encoding: chunked"];
  assertEquals(
    await curl("--request", "PUT", `${url}/items/1`, ...json, ...chunked, "--data", "[2]"),
    '{"id":1,"value":[2]}\n',
  );
  assertEquals(
    await curl(
      "--output",
      "/dev/null",
      "--write-out",
      "%{http_code}",
      "--request",
      "DELETE",
      `${url}/items/1`,
    ),
    "204",
  );
  assertEquals(await curl("--output", "/dev/null", "--write-out", "%{http_code}", `${url}/items/1`), "404");
  assertMatch(await curl("--head", `${url}/`), /^HTTP\/1\.1 200 OK\r\n/);
});

Deno.test("server.ts chat serves telnet, with CRLF", async () => {
  await using server = await ServerProcess.start("chat");
  assertEquals(
    await nc(server.port, "ann\r\n/me waves\r\n/who\r\n/quit\r\n"),
    "-- Welcome. What is your name?\n-- Hello ann. 0 others are here; /help lists commands\n-- 1 here\n-- ann\n-- Bye\n",
  );
});

Deno.test("server.ts udp serves socat", async () => {
  await using server = await ServerProcess.start("udp");
  const { code, out } = await run(["socat", "-t", "1", "-", `UDP4:127.0.0.1:${server.port}`], {
    stdin: "hello\n",
  });
  assertEquals([code, out], [0, "hello\n"]);
});

Deno.test("server.ts proxy and balance pass half-closes of socat on", async () => {
  await using echo = await ServerProcess.start("echo");
  const to = ["--to", `127.0.0.1:${echo.port}`];
  for (const service of ["proxy", "balance"]) {
    await using server = await ServerProcess.start(service, ...to);
    const { code, out } = await run(["socat", "-t", "10", "-", `TCP4:127.0.0.1:${server.port}`], {
      stdin: "hello\n",
    });
    assertEquals([code, out], [0, "hello\n"]);
  }
});

Deno.test("server.ts proxy passes an HTTP server on to curl, and balance spreads ab over three", async () => {
  await using one = await ServerProcess.start("hello", "--delay", "0");
  await using two = await ServerProcess.start("hello", "--delay", "0");
  await using three = await ServerProcess.start("hello", "--delay", "0");
  await using proxy = await ServerProcess.start("proxy", "--to", `127.0.0.1:${one.port}`);
  const { out } = await run(["curl", "--silent", `http://127.0.0.1:${proxy.port}/`]);
  assertEquals(out, "Hello World!\n");
  await using balance = await ServerProcess.start(
    "balance",
    ...[one, two, three].flatMap(({ port }) => ["--to", `127.0.0.1:${port}`]),
  );
  const ab = await run(["ab", "-q", "-n", "90", "-c", "10", `http://127.0.0.1:${balance.port}/`]);
  assertMatch(ab.out, /^Complete requests: +90$/m);
  assertMatch(ab.out, /^Failed requests: +0$/m);
  const { backends } = await balance.state();
  for (const { total } of backends as { total: number }[]) assertGreaterOrEqual(total, 30);
});

Deno.test("server.ts proxy passes on a load test of the relay behind it", async () => {
  await using relay = await ServerProcess.start("relay");
  await using proxy = await ServerProcess.start("proxy", "--to", `127.0.0.1:${relay.port}`, "--quiet");
  const args = ["--clients", "300", "--window", "1s", "--seed", "1", "--quiet", "--json", ...ANY_LAG];
  const { code, out } = await run(denoRun("loadtest.ts", [...args, "--target", `127.0.0.1:${proxy.port}`]));
  const { verdict, acked, lost } = JSON.parse(out.trimEnd().split("\n").at(-1)!);
  assertEquals([code, verdict, acked, lost], [0, "delivered", 300, 0]);
  const { accepted, pending, closed } = await relay.until(({ connections }) => connections === 0);
  assertEquals([accepted, pending], [300, 0]);
  assertEquals((closed as Record<string, number>).natural, 300);
});

Deno.test("server.ts files sends nc a file with the checksum that sha256sum prints", async () => {
  await using dir = new TempDir();
  await using server = await ServerProcess.start("files", "--root", dir.path);
  for (const [name, size] of [["none", 0], ["one", 1], ["large", 3_000_000]] as const) {
    // Text, so that it comes through a test whole.
    await dir.write(name, "0123456789abcdef".repeat(size / 16 + 1).slice(0, size));
    const [sum] = (await run(["sha256sum", `${dir.path}/${name}`])).out.split(" ");
    const answer = await nc(server.port, `GET ${name}\nQUIT\n`);
    const head = `body ${size}\n`;
    assertEquals(answer.slice(0, head.length), head);
    assertEquals(answer.slice(head.length, head.length + size), await dir.read(name));
    assertEquals(answer.slice(head.length + size), `sha256 ${sum}\nok\n`);
  }
});
