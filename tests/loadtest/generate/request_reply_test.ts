import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ServerState } from "../../../loadtest/history/events.ts";
import { httpRequest, type ReplyResult } from "../../../loadtest/generate/request_reply.ts";
import { type EchoOptions, type HelloOptions, startEcho, startHello } from "../../../services/mod.ts";
import type { ListenerStats } from "../../../socket/listen.ts";
import { type Connection, listen } from "../../../socket/mod.ts";
import { CLIENTS, type Run, simulate } from "../../_util/loadtest/simulated_run.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const permissions = "none";
const NO_DELAY = { type: "none" } as const;

function stateOf({ connections, queuedBytes, closed }: ListenerStats): ServerState {
  return { connections, pending: 0, timers: 0, queuedBytes, descriptors: 0, closed };
}

async function run(
  protocol: "echo" | "hello",
  start: (seam: EchoOptions & HelloOptions) => ReturnType<typeof startEcho> | ReturnType<typeof startHello>,
): Promise<Run> {
  const world = new Simulation({ latency: 1 });
  await using server = start(world.seam);
  const { addresses: targets } = server;
  const finalState = () => stateOf(server.stats());
  const result = await simulate(world, { targets, finalState, protocol, plan: { replyDelay: NO_DELAY } });
  await world.clock.runUntil(server.close());
  return result;
}

Deno.test("runPlan() proves an echo server with every kind of string", { permissions }, async () => {
  const { judgement } = await run("echo", startEcho);
  assertEquals([judgement.verdict, judgement.findings], ["proven", []]);
  assertEquals(judgement.counts.acked, CLIENTS);
});

Deno.test(
  "runPlan() proves a hello server that delays its responses",
  { permissions },
  async () => {
    const { judgement, durationMs } = await run("hello", (seam) => startHello({ ...seam, delay: 1000 }));
    assertEquals([judgement.verdict, judgement.findings], ["proven", []]);
    assertEquals(durationMs > 1000, true);
  },
);

Deno.test(
  "runPlan() finds an echo server that once sends a line to another client",
  { permissions },
  async () => {
    const world = new Simulation({ latency: 1 });
    const server = listen(world.seam);
    let lines = 0;
    let kept: string | undefined;
    const serving = server.serve(async (connection) => {
      for await (const line of connection) {
        if (++lines === 20) kept = line;
        connection.send(lines === 40 ? kept ?? "" : line);
      }
    });
    const { judgement } = await simulate(world, {
      targets: server.addresses,
      finalState: () => stateOf(server.stats()),
      protocol: "echo",
      plan: { replyDelay: NO_DELAY, payload: { type: "short" } },
    });
    await world.clock.runUntil(server.close());
    await serving;
    assertEquals([judgement.verdict, judgement.count("unexpected")], ["failed", 1]);
    assertStringIncludes(judgement.findings[0]?.text ?? "", "Client 39 (");
    assertStringIncludes(
      judgement.findings[0]?.text ?? "",
      "got an ok for message 19, which client 19 sends",
    );
  },
);

for (const protocol of ["echo", "hello"] as const) {
  Deno.test(`runPlan() reports the error line of a server (${protocol})`, {
    permissions,
  }, async () => {
    const world = new Simulation({ latency: 1 });
    const server = listen({
      ...world.seam,
      access: { mayConnect: () => false },
      refusal: (why) => `error ${why} – näh`,
    });
    const serving = server.serve(() => {});
    const { judgement } = await simulate(world, {
      targets: server.addresses,
      finalState: () => stateOf(server.stats()),
      protocol,
      plan: { clients: 1, replyDelay: NO_DELAY, deadline: 10_000 },
    });
    await world.clock.runUntil(server.close());
    await serving;
    assertEquals([judgement.verdict, judgement.count("unexpected")], ["failed", 0]);
    const reasons = judgement.findings.filter(({ kind }) => kind === "reason").map(({ text }) => text);
    assertMatch(reasons[0]!, /^The server answered \d+ times: error not allowed from this address – näh$/);
  });
}

Deno.test(
  "runPlan() reports no error line when it is the message of another client",
  { permissions },
  async () => {
    const world = new Simulation({ latency: 1 });
    const server = listen(world.seam);
    const held: Connection[] = [];
    const serving = server.serve(async (connection) => {
      const { value } = await connection[Symbol.asyncIterator]().next();
      const other = held.pop();
      if (other === undefined) held.push(connection);
      else other.send(value!);
      for await (const _ of connection);
    });
    const { judgement } = await simulate(world, {
      targets: server.addresses,
      finalState: () => stateOf(server.stats()),
      protocol: "echo",
      plan: {
        clients: 2,
        replyDelay: NO_DELAY,
        payload: { type: "file", path: "errors" },
        lines: ["error disk full"],
        deadline: 5000,
      },
    });
    await world.clock.runUntil(server.close());
    await serving;
    assertEquals(judgement.count("unexpected") > 0, true);
    assertEquals(judgement.findings.filter(({ text }) => text.includes("The server answered")), []);
  },
);

Deno.test("runPlan() fails when an HTTP server responds with an error status", { permissions }, async () => {
  const world = new Simulation({ latency: 1 });
  const server = listen(world.seam);
  const serving = server.serve(async (connection) => {
    await connection[Symbol.asyncIterator]().next();
    for (const line of ["HTTP/1.1 503 Busy\r", "Content-Length: 0\r", "\r"]) connection.send(line);
  });
  const { judgement } = await simulate(world, {
    targets: server.addresses,
    finalState: () => stateOf(server.stats()),
    protocol: "hello",
    plan: { clients: 10, replyDelay: NO_DELAY, deadline: 10_000 },
  });
  await world.clock.runUntil(server.close());
  await serving;
  assertEquals([judgement.verdict, judgement.counts.acked], ["failed", 0]);
});

/** The first result of an HTTP reply that arrives in `pieces`. */
function read(pieces: readonly string[], { end = false } = {}): ReplyResult | undefined {
  const reader = httpRequest("hello", "127.0.0.1:80").readReply();
  const results = pieces.map((piece) => reader.push(new TextEncoder().encode(piece)));
  if (end) results.push(reader.end());
  return results.find((result) => result !== undefined);
}

const DONE: ReplyResult = { text: "hello" };

Deno.test(
  "httpRequest() completes at the end of a sized body however the bytes are cut",
  { permissions },
  () => {
    const response = "HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length:  5 \r\n\r\nhello";
    for (let at = 0; at <= response.length; at++) {
      const pieces = [response.slice(0, at), response.slice(at)].filter((piece) => piece !== "");
      assertEquals(read(pieces), DONE);
      assertEquals(read(pieces.slice(0, 1)), at >= response.length || at === 0 ? DONE : undefined);
    }
    assertEquals(read([response.slice(0, -1)], { end: true }), {
      error: "invalid HTTP response: Response ended inside its body",
    });
    assertEquals(read(["HTTP/1.0 204\r\nContent-Length: 0\r\n\r\n"]), DONE);
  },
);

Deno.test("httpRequest() completes at the end of the connection when the body has no size", {
  permissions,
}, () => {
  const unknown = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello";
  assertEquals([read([unknown]), read([unknown], { end: true })], [undefined, DONE]);
  const coded = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello";
  assertEquals([read([coded]), read([coded], { end: true })], [undefined, DONE]);
});

Deno.test(
  "httpRequest() reads a chunked body to its last chunk, and refuses two lengths",
  { permissions },
  () => {
    const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    assertEquals(read([chunked]), DONE);
    assertEquals(read([chunked.slice(0, -2)], { end: true }), {
      error: "invalid HTTP response: Response ended inside its body",
    });
    assertEquals(read([chunked.replace("Transfer", "Content-Length: 1\r\nTransfer")]), {
      error: "invalid HTTP response: Content-Length and Transfer-Encoding are both given",
    });
  },
);

Deno.test(
  "httpRequest() reports the error line of a server once the line is complete",
  { permissions },
  () => {
    const reader = httpRequest("hello", "127.0.0.1:80").readReply();
    assertEquals(reader.push(new TextEncoder().encode("error n\u00e4h")), undefined);
    assertEquals(reader.push(new TextEncoder().encode("\r\nmore\n")), { complaint: "n\u00e4h" });
    assertEquals(reader.push(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n")), undefined);
    assertEquals(read(["HTTP/1.1 200 OK\r\nDate: x\r\n"]), undefined);
  },
);

Deno.test("httpRequest() refuses a reply with interim responses without end", { permissions }, () => {
  const interim = "HTTP/1.1 102 Processing\r\n\r\n";
  assertEquals(read([interim.repeat(100), "HTTP/1.1 204\r\n\r\n"]), DONE);
  assertEquals(read([interim.repeat(101)]), {
    error: "invalid HTTP response: Server sent more than 100 interim responses (1xx)",
  });
});

Deno.test("httpRequest() reads a folded header line", { permissions }, () => {
  assertEquals(read(["HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length:\r\n 2\r\n\r\nhi"]), DONE);
});

Deno.test("httpRequest() refuses a reply that is not HTTP", { permissions }, () => {
  const error = "the reply is not an HTTP response";
  assertEquals(read(["hello\r\n\r\n"], { end: true }), { error });
  assertEquals(read(["x".repeat(100_000), "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"], { end: true }), { error });
  assertEquals(read(["HTTP/1.1 200 OK\r\n"], { end: true }), {
    error: "invalid HTTP response: Response ended before its body",
  });
  assertEquals(read(["hello"], { end: true }), undefined);
});
