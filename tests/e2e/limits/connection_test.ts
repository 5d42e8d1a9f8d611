/** The limits of a server as its options set them: the error lines for peers, and the counters. */
import { assertEquals, assertObjectMatch, assertStringIncludes } from "@std/assert";
import { Log } from "../../../cli/terminal/log.ts";
import { parseCommandLine } from "../../../cli/args/parse.ts";
import { listenOptions } from "../../../cli/server/service_options.ts";
import { echo } from "../../../cli/server/services/echo.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { exchange } from "../../_util/network/exchange.ts";
import { ServerProcess } from "../../_util/programs/program.ts";
import { CollectedOutput } from "../../_util/collected_output.ts";

// Waiting for a limit that does not hold times out.
const timeout = 30_000;

/** Returns the next line of a peer. */
async function hear(peer: Connection): Promise<string | undefined> {
  return (await peer[Symbol.asyncIterator]().next()).value;
}

/** Connects and sends lines. */
async function enter(server: ServerProcess, ...lines: readonly string[]): Promise<Connection> {
  const peer = await connect({ port: server.port, limits: { writeBuffer: 2 ** 30 } });
  for (const line of lines) peer.send(line);
  return peer;
}

Deno.test("server.ts --verbose logs each refused peer and the reason", { timeout }, async () => {
  await using server = await ServerProcess.start("echo", "--max-connections", "1", "--verbose");
  await using first = await connect({ port: server.port });
  first.send("hello");
  await first[Symbol.asyncIterator]().next();
  await using second = await connect({ port: server.port });
  assertEquals((await second[Symbol.asyncIterator]().next()).value, "error busy: 1 connection is open");
  await server.remarked("refused, busy: 1 connection is open");
  const { refusals } = await server.state();
  assertEquals(refusals, { "max-connections": 1, "max-connections-per-ip": 0, "address": 0 });
});

for (const [service, ...options] of [["echo"], ["proxy", "--to", "127.0.0.1:1"]] as const) {
  Deno.test(`server.ts ${service} --verbose logs the peers that --deny excludes`, { timeout }, async () => {
    await using server = await ServerProcess.start(service, ...options, "--deny", "127.0.0.0/8", "--verbose");
    await using peer = await connect({ port: server.port });
    const from = `${peer.local.hostname}:${peer.local.port}`;
    await server.remarked(`${from} refused, not allowed from this address\n`);
    await Array.fromAsync(peer);
  });
}

Deno.test("server.ts --max-connections-per-ip refuses one connection over the limit of an address", {
  timeout,
}, async () => {
  await using server = await ServerProcess.start("echo", "--max-connections-per-ip", "1");
  await using first = await enter(server, "hello");
  assertEquals(await hear(first), "hello");
  await using second = await enter(server);
  assertEquals(await hear(second), "error busy: 1 connection is open from this address");
});

Deno.test("server.ts --when-full wait queues one connection over the limit", { timeout }, async () => {
  await using server = await ServerProcess.start("echo", "--max-connections", "1", "--when-full", "wait");
  await using first = await enter(server, "hello");
  assertEquals(await hear(first), "hello");
  await using second = await enter(server, "and me");
  await server.until(({ waiting }) => waiting === 1);
  await first.close();
  assertEquals(await hear(second), "and me");
});

Deno.test("server.ts --accept-rate limits connections per second", { timeout }, async () => {
  await using server = await ServerProcess.start("echo", "--accept-rate", "2");
  const peers = await Promise.all(["1", "2", "3"].map((line) => enter(server, line)));
  await server.until(({ paced }) => Number(paced) > 0);
  assertEquals(await Promise.all(peers.map(hear)), ["1", "2", "3"]);
  for (const peer of peers) await peer.close();
});

const TIMEOUTS: readonly (readonly [option: string, ms: number, lines: readonly string[], which: string])[] =
  [
    ["--first-line-timeout", 300, [], "first line"],
    // The line must arrive within it, on a busy machine as well.
    ["--idle-timeout", 2000, ["hello"], "idle"],
  ];
for (const [option, ms, lines, which] of TIMEOUTS) {
  Deno.test(`server.ts ${option} sends the peer an error line and closes it`, { timeout }, async () => {
    await using server = await ServerProcess.start("echo", option, `${ms}ms`);
    await using peer = await enter(server, ...lines);
    const heard = await Array.fromAsync(peer);
    assertEquals(heard, [...lines, `error timeout: ${which} for ${ms} ms`]);
    await peer.close();
    const { timeouts } = await server.until(({ connections }) => connections === 0);
    assertEquals(timeouts, { [which]: 1 });
  });
}

/** More bytes than the sockets of both sides buffer. */
const FLOOD = Array.from({ length: 400 }, (_, index) => `message ${index}${"x".repeat(60_000)}`);

Deno.test("server.ts --write-timeout closes a peer that does not read", { timeout }, async () => {
  await using server = await ServerProcess.start("echo", "--write-timeout", "300ms");
  await using peer = await enter(server, ...FLOOD);
  const { timeouts } = await server.until(({ connections, accepted }) => connections === 0 && accepted === 1);
  assertEquals(timeouts, { write: 1 });
  peer.abort();
});

Deno.test("server.ts --write-buffer cuts off a peer when more than that is unread", { timeout }, async () => {
  await using server = await ServerProcess.start("relay", "--write-buffer", "64KiB", "--verbose");
  await using peer = await enter(server, ...FLOOD);
  await server.remarked("bytes queued, limit 65536");
  assertEquals((await server.state()).queuedBytes, 0);
  peer.abort();
});

for (const [service, ...options] of [["relay"], ["echo"], ["chat"], ["files", "--root", "."]] as const) {
  Deno.test(
    `server.ts ${service} --max-line sends an error line when a line is too long`,
    { timeout },
    async () => {
      await using server = await ServerProcess.start(service, ...options, "--max-line", "16");
      await using peer = await enter(server, "message ".padEnd(17, "x"));
      const heard = await Array.fromAsync(peer);
      assertEquals(heard.at(-1), "error line is over the limit of 16 bytes");
      await peer.close();
      const { framingErrors } = await server.until(({ connections }) => connections === 0);
      assertEquals(framingErrors, { "line-too-long": 1 });
    },
  );
}

for (
  const [option, of, limit] of [
    ["max-in-flight", "", "max-under-way"],
    ["max-in-flight-per-peer", " on this connection", "max-under-way-per-peer"],
    // Its former name.
    ["max-under-way", "", "max-under-way"],
  ] as const
) {
  Deno.test(`server.ts --${option} refuses one message over the limit`, { timeout }, async () => {
    await using server = await ServerProcess.start("relay", `--${option}`, "1");
    await using peer = await enter(server, "message one", "message two");
    const lines = peer[Symbol.asyncIterator]();
    assertEquals((await lines.next()).value, "message one");
    assertEquals((await lines.next()).value, `error too many messages in flight${of} (limit 1)`);
    const { limited, limitedBy, pending } = await server.state();
    assertEquals([limited, pending], [1, 1]);
    assertEquals(limitedBy, { "max-under-way": 0, "max-under-way-per-peer": 0, "draining": 0, [limit]: 1 });
    peer.abort();
  });
}

Deno.test(
  "server.ts relay --ack-timeout redelivers a message, and not with --no-redeliver",
  { timeout },
  async () => {
    const options = ["relay", "--ack-timeout", "100ms"] as const;
    await using server = await ServerProcess.start(...options);
    await using peer = await enter(server, "message again");
    const lines = peer[Symbol.asyncIterator]();
    assertEquals([(await lines.next()).value, (await lines.next()).value], [
      "message again",
      "message again",
    ]);
    peer.abort();
    await using bare = await ServerProcess.start(...options, "--no-redeliver");
    await using other = await enter(bare, "message once");
    assertEquals(await hear(other), "message once");
    const { due, pending } = await bare.state();
    assertEquals([due, pending], [0, 1]);
    other.abort();
  },
);

const REQUEST = "GET /time HTTP/1.1\r\nHost: a.test\r\n";
const LATE: readonly (readonly [option: string, sent: string, heard: string])[] = [
  ["--request-timeout", REQUEST, "HTTP/1.1 408 Request Timeout"],
  ["--keep-alive-timeout", `${REQUEST}\r\n`, "HTTP/1.1 200 OK"],
];
for (const [option, sent, status] of LATE) {
  Deno.test(`server.ts http ${option} closes a connection`, { timeout }, async () => {
    await using server = await ServerProcess.start("http", option, "2s");
    assertEquals((await exchange(server.port, sent)).split("\r\n")[0], status);
  });
}

Deno.test("server.ts hello --delay responds to a waiting client when draining", { timeout }, async () => {
  await using server = await ServerProcess.start("hello", "--delay", "0", "--drain-timeout", "30s");
  const answer = exchange(server.port, "GET");
  await server.until(({ accepted }) => accepted === 1);
  await server.stop();
  assertEquals((await answer).split("\r\n")[0], "HTTP/1.1 200 OK");
});

Deno.test("server.ts http --max-body refuses a longer body", { timeout }, async () => {
  await using server = await ServerProcess.start("http", "--max-body", "4");
  const response = await fetch(`http://127.0.0.1:${server.port}/items`, { method: "POST", body: '"abc"' });
  assertEquals([response.status, (await response.text()).trim()], [413, "Body of 5 bytes is over 4"]);
});

for (
  const [option, limit, stored, why] of [
    ["--max-items", "1", { items: 1, maxItems: 1 }, "1 item (limit 1)"],
    ["--max-store", "1KiB", { storedBytes: 600, maxStore: 1024 }, "1200 bytes with this item (limit 1024)"],
  ] as const
) {
  Deno.test(`server.ts http ${option} limits the store, and state shows it`, { timeout }, async () => {
    await using server = await ServerProcess.start("http", option, limit);
    const post = () =>
      fetch(`http://127.0.0.1:${server.port}/items`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify("x".repeat(598)),
      });
    assertEquals(await (await post()).json(), { id: 1, value: "x".repeat(598) });
    const full = await post();
    assertEquals([full.status, await full.text()], [507, `The store is full: ${why}\n`]);
    assertObjectMatch({ ...await server.state() }, stored);
  });
}

Deno.test({
  name: "server.ts reports once that it is out of descriptors, keeps serving, and accepts when one is free",
  ignore: Deno.build.os === "windows",
  timeout,
  fn: async () => {
    await using server = await ServerProcess.startWithin(64, "echo");
    const peers = [];
    for (let count = 0; count < 64; count++) peers.push(await enter(server));
    await server.remarked("Out of file descriptors: accepting pauses until some are free");
    const { connections } = await server.until(({ outOfDescriptors }) => Number(outOfDescriptors) > 2);
    const first = peers[0]!;
    first.send("still here");
    assertEquals(await hear(first), "still here");
    for (let count = 1; count <= 3; count++) {
      peers.shift()!.abort();
      await server.until(({ accepted }) => accepted === Number(connections) + count);
    }
    for (const peer of peers) peer.abort();
    await server.until((state) => state.connections === 0 && state.accepted === 64);
    const { code, err } = await server.stop();
    assertEquals([code, err.split("Out of file descriptors").length], [0, 2]);
  },
});

Deno.test(
  "listenOptions() logs handler errors and shortages of descriptors",
  { timeout },
  async () => {
    const stderr = new CollectedOutput();
    const program = {
      name: "server",
      summary: "",
      version: "1",
      commandNoun: "service",
      commands: { echo },
      defaultCommand: "echo",
    };
    const told = parseCommandLine(program, { args: [], environment: () => undefined });
    if ("text" in told) throw new Error(told.text);
    const { onEvent, onError } = await listenOptions(told.options, {
      log: new Log({ stderr, noColor: true }),
      onReload() {},
    });
    await using server = await ServerProcess.start("echo");
    await using peer = await enter(server);
    onError(new RangeError("broken"), peer);
    const failed = `error: Cannot serve 127.0.0.1:${server.port}: RangeError:`;
    assertStringIncludes(stderr.text, `${failed} broken\n`);
    onError(new RangeError("broken\x1b[31m"), peer);
    assertStringIncludes(stderr.text, `${failed} broken\\x1b[31m\n`);
    stderr.text = "";
    onEvent({
      type: "closed",
      connection: peer,
      reason: { type: "handler-failed", error: new Error("broken") },
    });
    assertEquals(stderr.text, "", "onError logs it");
    onEvent({ type: "closed", connection: peer, reason: { type: "reset", error: new Error("gone") } });
    assertEquals(stderr.text, "", "no mistake of the program's");
    onEvent({ type: "exhausted" });
    onEvent({ type: "recovered" });
    assertEquals(
      stderr.text,
      "warning: Out of file descriptors: accepting pauses until some are free\nAccepting again\n",
    );
  },
);
