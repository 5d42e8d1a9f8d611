import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bytesCodec, listen } from "../../../socket/mod.ts";
import { denoRun, run, runClient, ServerProcess } from "../../_util/programs/program.ts";
import { ownAddress } from "../../_util/network/own_address.ts";

/** Parses JSON output, one object per line. */
function records(out: string): Record<string, unknown>[] {
  return out.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("client.ts echo prints each reply", async () => {
  await using server = await ServerProcess.start("echo");
  const { code, out, err } = await runClient([
    "echo",
    "--port",
    `${server.port}`,
    "hello",
    "two\nlines",
    "\x1b",
  ]);
  assertEquals([code, out, err], [0, "hello\ntwo\nlines\n\\x1b\n", ""]);
});

Deno.test("client.ts echo --clients opens connections in parallel, and expects a reply on each", async () => {
  await using server = await ServerProcess.start("echo");
  const { code, out } = await runClient([
    "echo",
    "--port",
    `${server.port}`,
    "--clients",
    "50",
    "--json",
    "hello",
  ]);
  const said = records(out);
  const replies = said.filter(({ event }) => event === "reply");
  assertEquals(code, 0);
  assertEquals(new Set(replies.map(({ client }) => client)).size, 50);
  assert(replies.every(({ text }) => text === "hello"));
  const { seconds: _, ...summary } = said.at(-1)!;
  assertEquals(summary, { event: "summary", clients: 50, good: 50, replies: 50 });
  assertEquals((await server.state()).peakConnections, 50);
});

Deno.test("client.ts echo sends the lines of stdin when there is no text", async () => {
  await using server = await ServerProcess.start("echo");
  const { code, out } = await runClient(["echo", "--port", `${server.port}`], { stdin: "one\ntwo\r\nthree" });
  assertEquals([code, out], [0, "one\ntwo\nthree\n"]);
});

Deno.test("client.ts echo sends stdin unchanged, and fails when it is not UTF-8", async () => {
  await using server = await ServerProcess.start("echo");
  const echo = denoRun("client.ts", ["echo", "--port", `${server.port}`]);
  assertEquals((await run(echo, { stdin: "\ufeffone" })).out, "\\u{feff}one\n");
  const { code, out, err } = await run(["sh", "-c", 'printf "\\377\\n" | "$0" "$@"', ...echo]);
  assertEquals([code, out], [1, ""]);
  assertEquals(err, "error: Cannot read stdin: expected UTF-8, got other bytes\n");
});

Deno.test("client.ts relay limits and counts messages that repeat, and gives advice once", async () => {
  const { code, out, err } = await runClient(
    ["relay", "--port", "1", "--clients", "40", "--max-attempts", "2", "--json"],
  );
  const lines = err.trimEnd().split("\n");
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  assertEquals(count(/^Start the server first, or correct --port$/), 1);
  const shown = count(/^warning: Client \d+: /);
  assert(shown < 40, err);
  const left = lines.map((line) =>
    /^warning: Left out (\d+) more like: Client \d+: Cannot connect/.exec(line)
  );
  assertEquals(left.reduce((sum, match) => sum + Number(match?.[1] ?? 0), shown), 80);
  assertMatch(lines.at(-1)!, /^0 of 40 acknowledged/);
  assertEquals([code, records(out).length], [1, 1]);
});

Deno.test("client.ts relay reports why a client has no ok, and whether it retries", async () => {
  const [nobody, target] = ["Client 1: Cannot connect to 127.0.0.1:1: refused", ["--port", "1"]];
  const gone = await runClient(["relay", ...target, "--clients", "1", "--max-attempts", "2"]);
  assertEquals([gone.code, gone.err], [
    1,
    `warning: ${nobody}; trying again\nStart the server first, or correct --port\nwarning: ${nobody}\n`,
  ]);
  assertEquals(
    gone.out,
    "0 of 1 acknowledged, 0 connections closed naturally, 0 reconnects, connecting failed 2 times\n",
  );
  await using server = listen({ port: 0 });
  server.serve(async (peer) => void await peer.close());
  const left = await runClient([
    "relay",
    "--port",
    `${server.port}`,
    "--clients",
    "1",
    "--max-attempts",
    "1",
  ]);
  assertEquals([left.code, left.err], [1, "warning: Client 1: the server ended before the ok\n"]);
  const again = ["relay", "--port", `${server.port}`, "--clients", "2", "--max-attempts", "3", "--json"];
  const summary = records((await runClient(again)).out).at(-1);
  assertEquals([summary?.reconnects, summary?.refused], [4, 0]);
});

Deno.test("client.ts relay names the value of DELAY_TIME and what is accepted", async () => {
  const { code, err } = await runClient(["relay"], { env: { DELAY_TIME: "2s" } });
  assertEquals(
    [code, err],
    [2, 'error: Cannot use DELAY_TIME: expected a number of seconds such as 2 or 0.5, got "2s"\n'],
  );
});

Deno.test("client.ts echo fails when replies are wrong or missing", async () => {
  const host = ownAddress();
  await using wrong = listen({ hostnames: [host] });
  const served = wrong.serve(async (peer) => {
    for await (const line of peer) {
      if (line === "wrong") peer.send("other");
      else return;
    }
  });
  const args = ["echo", "--host", host, "--port", `${wrong.port}`];
  const { code, out, err } = await runClient([...args, "wrong", "missing"]);
  assertEquals([code, out.split("\n")[0]], [1, "other"]);
  assertStringIncludes(err, "Client 1: 1 reply did not come, 1 was not what was sent");
  await wrong.close();
  await served;
  const refused = await runClient([...args, "hello"]);
  assertEquals([refused.code, refused.out, refused.err], [
    1,
    "",
    `error: Cannot connect to ${host}:${wrong.port}: refused\n`,
  ]);
});

Deno.test("client.ts echo fails when a reply does not arrive within --timeout", async () => {
  await using silent = listen({});
  const served = silent.serve(async (peer) => void await peer.closed);
  // Connecting has the same limit, and must not take as long on a busy machine.
  const { code, err } = await runClient(["echo", "--port", `${silent.port}`, "--timeout", "2s", "hello"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "timeout: reply for 2000 ms");
  await silent.close();
  await served;
});

Deno.test("client.ts hello prints a greeting for each of many parallel clients", async () => {
  await using server = await ServerProcess.start("hello", "--delay", "100ms");
  const one = await runClient(["hello", "--port", `${server.port}`]);
  assertEquals(one.code, 0);
  assertMatch(one.out, /^Hello World! \(status 200, after \d+ ms\)\n$/);
  const many = await runClient(["hello", "--port", `${server.port}`, "--clients", "20", "--json"]);
  assertEquals([many.code, records(many.out).filter(({ status }) => status === 200).length], [0, 20]);
  assertEquals((await server.state()).peakConnections, 20);
});

Deno.test("client.ts http prints status, headers, and body", async () => {
  await using server = await ServerProcess.start("http");
  const url = `http://127.0.0.1:${server.port}`;
  const field = ["--header", "Content-Type: application/json"];
  const posted = await runClient(["http", "POST", `${url}/items`, ...field, "--data", '"a thing"']);
  assertMatch(posted.out, /^HTTP\/1\.1 201 Created\n(?:[a-z-]+: .*\n)+\n\{"id":1,"value":"a thing"\}\n$/);
  const body = await runClient(["http", "GET", `${url}/items/1`, "--no-head"]);
  assertEquals([body.code, body.out], [0, '{"id":1,"value":"a thing"}\n']);
  const head = await runClient(["http", "HEAD", `${url}/`]);
  assertMatch(head.out, /^HTTP\/1\.1 200 OK\n(?:[a-z-]+: .*\n)+\n$/);
  const missing = await runClient(["http", "GET", `${url}/none`, "--json"]);
  const [{ status, reason, body: text } = {}] = records(missing.out);
  assertEquals([missing.code, status, reason, text], [0, 404, "Not Found", "No such resource: /none\n"]);
});

Deno.test("client.ts http reports in one line what it cannot send, and a reply that is not HTTP", async () => {
  await using echo = await ServerProcess.start("echo");
  const scheme = await runClient(["http", "GET", "ftp://127.0.0.1/"]);
  assertEquals([scheme.code, scheme.err], [
    2,
    "error: Cannot request ftp://127.0.0.1/: expected http: or https:, got ftp:\n",
  ]);
  const field = await runClient(["http", "GET", "http://127.0.0.1/", "--header", "nothing"]);
  assertEquals([field.code, field.err], [
    2,
    'error: Cannot use --header: expected NAME: VALUE, got "nothing"\n',
  ]);
  const other = await runClient(["http", "GET", `http://127.0.0.1:${echo.port}/`]);
  assertEquals([other.code, other.out], [1, ""]);
  assertStringIncludes(other.err, "Cannot use the HTTP response: ");
});

Deno.test("client.ts http ends when a server sends interim responses without end", async () => {
  await using server = listen({ codec: bytesCodec });
  const served = server.serve(async (peer) => {
    await peer[Symbol.asyncIterator]().next();
    const interim = new TextEncoder().encode("HTTP/1.1 102 Processing\r\n\r\n");
    for (; peer.open; await peer.flushed().catch(() => {})) peer.send(interim);
  });
  const { code, err } = await runClient(["http", "GET", `http://127.0.0.1:${server.port}/`]);
  assertEquals([code, err], [
    1,
    "error: Cannot use the HTTP response: Server sent more than 100 interim responses (1xx)\n",
  ]);
  await server.close();
  await served;
});

Deno.test("client.ts http prints a body unchanged, and escapes control characters on a terminal", async () => {
  const body = "\x1b[2J\u202ehello\nthere";
  await using server = listen({ codec: bytesCodec });
  const served = server.serve(async (peer) => {
    await peer[Symbol.asyncIterator]().next();
    peer.send(new TextEncoder().encode(`HTTP/1.1 200 OK\r\n\r\n${body}`));
  });
  const args = ["http", "GET", `http://127.0.0.1:${server.port}/`, "--no-head"];
  const piped = await runClient(args);
  assertEquals([piped.code, piped.out], [0, body]);
  // A colon would end the command for socat.
  const command = denoRun("client.ts", args).join(" ").replaceAll(":", "\\:");
  const shown = await run(["socat", "-u", `SYSTEM:${command},pty,setsid,ctty`, "STDOUT"]);
  assertEquals(shown.out, "\\x1b[2J\\u{202e}hello\r\nthere\r\n");
  await server.close();
  await served;
});

Deno.test("client.ts udp prints answers, retries, and gives up", async () => {
  const host = ownAddress();
  await using server = await ServerProcess.start("udp", "--host", host);
  const port = `${server.port}`;
  const texts = await runClient(["udp", "--port", port, "hello", "\x1b"]);
  assertEquals([texts.code, texts.out], [0, "hello\n\\x1b\n"]);
  const lines = await runClient(["udp", "--host", "localhost", "--port", port], { stdin: "one\ntwo\n" });
  assertEquals([lines.code, lines.out], [0, "one\ntwo\n"]);
  await server.stop();
  const nobody = await runClient([
    "udp",
    "--host",
    host,
    "--port",
    port,
    "--timeout",
    "20ms",
    "--attempts",
    "2",
    "hello",
  ]);
  assertEquals([nobody.code, nobody.err], [
    1,
    `error: No answer from ${host}:${port} within 20 ms, asked 2 times\n`,
  ]);
  const long = await runClient(["udp", "--port", port], { stdin: "x".repeat(65_508) });
  assertEquals([long.code, long.err], [
    1,
    "error: Cannot send a datagram of 65508 bytes: at most 65507 fit\n",
  ]);
});
