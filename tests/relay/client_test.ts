import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { backOffDelay } from "../../internal/back_off.ts";
import { RelayClient } from "../../relay/client.ts";
import { ConnectError, listen } from "../../socket/mod.ts";
import { ProtocolError } from "../../protocol.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";

const permissions = "none";

/** A server that a test plays by hand: for each connection a script of what it does with the lines. */
function scripted(
  world: Simulation,
  script: (say: (line: string) => void, line: string, connection: number) => void,
) {
  const server = listen(world.seam);
  server.serve(async (peer) => {
    for await (const line of peer) script((answer) => void peer.send(answer), line, peer.id);
  });
  return server;
}

Deno.test("RelayClient ends naturally on its own ok", { permissions }, async () => {
  const world = new Simulation();
  await using server = scripted(world, (say) => say("ok hello"));
  const result = await world.clock.runUntil(world.client({ port: server.port, text: "hello" }));
  assertEquals(result, { acknowledged: true, attempts: 1, closed: { type: "natural" }, error: undefined });
  await world.clock.runUntil(server.until((stats) => stats.closed.natural === 1));
});

Deno.test("RelayClient accepts only one ok, and only its own", { permissions }, async () => {
  const world = new Simulation();
  const acks: [string, boolean][] = [];
  await using server = scripted(world, (say) => {
    for (const line of ["ok hell", "ok hello\\n", "ok hello", "ok hello"]) say(line);
  });
  const observer = { acknowledged: (_: unknown, text: string, own: boolean) => void acks.push([text, own]) };
  await world.clock.runUntil(world.client({ port: server.port, text: "hello", observer }));
  assertEquals(acks, [["hell", false], ["hello\n", false], ["hello", true], ["hello", false]]);
});

for (
  const why of [
    "expected auth TOKEN as the first line",
    "wrong token",
    "unauthorized: wrong token",
    "unauthorized: expected auth TOKEN as the first line",
  ]
) {
  Deno.test(`RelayClient gives up when the server answers ${why}`, { permissions }, async () => {
    const world = new Simulation();
    await using server = scripted(world, (say) => say(`error ${why}`));
    const client = world.client({ port: server.port, text: "hello", token: "guess" });
    const result = await world.clock.runUntil(client);
    const closed = { type: "unauthorized", why } as const;
    assertEquals(result, { acknowledged: false, attempts: 1, closed, error: undefined });
    assertEquals([world.clock.now(), world.clock.timers], [0, 0]);
  });
}

Deno.test("RelayClient keeps waiting after any other error", { permissions }, async () => {
  const world = new Simulation();
  await using server = scripted(world, (say) => ["error wrong tokens", "ok hello"].forEach(say));
  const result = await world.clock.runUntil(world.client({ port: server.port, text: "hello" }));
  assertEquals(result.closed?.type, "natural");
});

Deno.test("RelayClient answers each message after its delay", { permissions }, async () => {
  const world = new Simulation();
  const heard: [number, string][] = [];
  await using server = scripted(world, (say, line) => {
    heard.push([world.clock.now(), line]);
    if (line === "message mine") ["message a", "message b\\\\", "message "].forEach(say);
    if (heard.length === 4) say("ok mine");
  });
  const delays: Record<string, number> = { "a": 300, "b\\": 100, "": 0 };
  const replyDelay = { draw: (text: string) => delays[text]!, longest: 300 };
  const result = await world.clock.runUntil(world.client({ port: server.port, text: "mine", replyDelay }));
  assertEquals(heard, [[0, "message mine"], [0, "ok "], [100, "ok b\\\\"], [300, "ok a"]]);
  assertEquals(result.closed?.type, "natural");
});

Deno.test("RelayClient lingers only for messages that it has to answer", { permissions }, async () => {
  const world = new Simulation();
  const heard: [number, string][] = [];
  await using server = scripted(world, (say, line) => {
    heard.push([world.clock.now(), line]);
    if (line === "message mine") {
      ["message 80", "message 120", "ok mine", "message 99", "message 101"].forEach(say);
    }
  });
  const replyDelay = { draw: Number, longest: 1000 };
  const client = world.client({ port: server.port, text: "mine", replyDelay, timeouts: { linger: 100 } });
  assertEquals((await world.clock.runUntil(client)).closed?.type, "natural");
  assertEquals(heard, [[0, "message mine"], [80, "ok 80"], [99, "ok 99"]]);
  assertEquals(world.clock.now(), 99);
  assertEquals(world.clock.timers, 0);
});

Deno.test("RelayClient closes immediately when linger is 0", { permissions }, async () => {
  const world = new Simulation();
  await using server = scripted(world, (say) => ["message x", "ok mine"].forEach(say));
  const replyDelay = { draw: () => 50, longest: 50 };
  await world.clock.runUntil(
    world.client({ port: server.port, text: "mine", replyDelay, timeouts: { linger: 0 } }),
  );
  assertEquals(world.clock.now(), 0);
});

Deno.test("RelayClient ends when messages never stop arriving", { permissions }, async () => {
  const world = new Simulation();
  await using server = scripted(world, (say, line) => {
    say("message x"); // one for each line: with two in the air, and out of step, there is always one to answer
    if (line === "message mine") ["message x", "ok mine"].forEach(say);
  });
  const delays = [50, 75];
  const replyDelay = { draw: () => delays.shift() ?? 50, longest: 75 };
  const client = world.client({ port: server.port, text: "mine", replyDelay, timeouts: { ack: 1000 } });
  assertEquals((await world.clock.runUntil(client)).closed?.type, "natural");
  assertEquals(world.clock.now(), 1000);
});

Deno.test("RelayClient times out, reconnects, and resends when no ok arrives", { permissions }, async () => {
  const world = new Simulation();
  const heard: [number, number, string][] = [];
  await using server = scripted(world, (say, line, connection) => {
    heard.push([connection, world.clock.now(), line]);
    if (connection === 3) say("ok mine");
  });
  const closes: string[] = [];
  const client = world.client({
    port: server.port,
    text: "mine",
    timeouts: { ack: 2000 },
    backOff: { first: 100 },
    random: () => 0.5,
    observer: { closed: (_, reason) => void closes.push(reason.type) },
  });
  const result = await world.clock.runUntil(client);
  assertEquals(heard, [[1, 0, "message mine"], [2, 2050, "message mine"], [3, 4150, "message mine"]]);
  assertEquals(closes, ["timeout", "timeout", "natural"]);
  assertEquals([result.acknowledged, result.attempts], [true, 3]);
});

Deno.test("RelayClient reconnects when the server closes, resets, or sends invalid bytes", {
  permissions,
}, async () => {
  const world = new Simulation();
  const closes: string[] = [];
  const server = listen(world.seam);
  server.serve(async (peer) => {
    for await (const _ of peer) {
      if (peer.id === 1) return; // ends in order
      if (peer.id === 2) return peer.abort();
      peer.send(peer.id === 3 ? `message ${"x".repeat(70_000)}` : "ok mine");
    }
  });
  const observer = { closed: (_: unknown, reason: { type: string }) => void closes.push(reason.type) };
  const result = await world.clock.runUntil(world.client({ port: server.port, text: "mine", observer }));
  assertEquals(closes, ["local", "local", "framing", "natural"]);
  assertEquals([result.acknowledged, result.attempts], [true, 4]);
  await world.clock.runUntil(server.close());
});

Deno.test(
  "RelayClient reports an unreachable server, and gives up after its attempts",
  { permissions },
  async () => {
    const world = new Simulation();
    const errors: ConnectError[] = [];
    const observer = { notConnected: (error: ConnectError) => void errors.push(error) };
    const result = await world.clock.runUntil(
      world.client({ port: 9, text: "mine", limits: { maxAttempts: 3 }, observer }),
    );
    assertEquals(errors.map((error) => error.code), ["refused", "refused", "refused"]);
    assertEquals([result.acknowledged, result.attempts, result.closed], [false, 3, undefined]);
    assertInstanceOf(result.error, ConnectError);
  },
);

Deno.test(
  "RelayClient reports error lines and malformed lines",
  { permissions },
  async () => {
    const world = new Simulation();
    const complaints: (string | ProtocolError)[] = [];
    await using server = scripted(
      world,
      (say) => ["error no paper", "message \\q", "nonsense", "ok mine"].forEach(say),
    );
    const observer = {
      complained: (_: unknown, error: string | ProtocolError) => void complaints.push(error),
    };
    await world.clock.runUntil(world.client({ port: server.port, text: "mine", observer }));
    assertEquals(complaints[0], "no paper");
    assertEquals(complaints.slice(1).map((error) => error instanceof ProtocolError && error.code), [
      "bad-escape",
      "unknown-verb",
    ]);
  },
);

Deno.test("RelayClient.stop() ends the client in any state", { permissions }, async () => {
  for (const at of [0, 5, 1000, 2010]) { // dialing, waiting for its ok, closed and backing off, on its second attempt
    const world = new Simulation({ latency: 3 });
    await using server = scripted(world, () => {});
    const client = new RelayClient({
      ...world.seam,
      port: server.port,
      text: "mine",
      timeouts: { ack: 900 },
      random: () => 1,
    });
    const ended = client.run();
    await world.clock.advance(at);
    client.stop();
    assertEquals((await world.clock.runUntil(ended)).acknowledged, false);
    assertEquals(world.clock.now(), at);
    await world.clock.advance(60_000);
    await world.clock.runUntil(server.close());
    assertEquals(world.network.stats().sockets, 0);
    assertEquals(world.clock.timers, 0);
  }
});

Deno.test(
  "RelayClient and RelayServer acknowledge every message and leave nothing",
  { permissions },
  async () => {
    const world = new Simulation({ latency: 2 });
    const server = world.relay();
    const texts = [
      "",
      "plain",
      "two\nlines\r",
      "back\\slash",
      "\ud800",
      "\ufeffBOM",
      "👩‍🚀",
      "\0",
      "x".repeat(60_000),
    ];
    const clients = texts.map((text, index) =>
      world.client({ port: server.port, text, timeouts: { linger: 10 * index } })
    );
    const results = await world.clock.runUntil(Promise.all(clients));
    assert(results.every((result) => result.acknowledged && result.closed?.type === "natural"));
    const { connections, pending, timers, settled } = await world.clock.runUntil(
      server.until((stats) => stats.connections === 0),
    );
    assertEquals({ connections, pending, timers, settled }, {
      connections: 0,
      pending: 0,
      timers: 0,
      settled: texts.length,
    });
    await server.close();
  },
);

Deno.test("RelayClient gets its ok when the server is killed under load and restarted", {
  permissions,
}, async () => {
  const world = new Simulation({ latency: 5 });
  const options = { port: 7000, timeouts: { ack: 1000 } };
  const first = world.relay(options);
  const replyDelay = { draw: () => 200 + 200 * world.random(), longest: 400 };
  const clients = Array.from({ length: 300 }, (_, index) => {
    const text = `hello ${index}`;
    return world.clock.after(index * 2, () => results.push(world.client({ port: 7000, text, replyDelay })));
  });
  const results: ReturnType<typeof world.client>[] = [];
  await world.clock.advance(400);
  assert(first.stats().pending > 20, `${first.stats().pending} pending`);
  await first.close();
  await world.clock.advance(300);
  const second = world.relay(options);
  await world.clock.runUntil(() => results.length === clients.length);
  const ended = await world.clock.runUntil(Promise.all(results));
  assert(ended.every((result) => result.acknowledged));
  assert(ended.some((result) => result.attempts > 1));
  await world.clock.runUntil(second.until((stats) => stats.connections === 0));
  assertEquals(second.stats().pending, 0);
  await second.close();
});

Deno.test("backOffDelay() doubles its limit up to the maximum, and draws below it", { permissions }, () => {
  const bounds = [1, 2, 3, 8, 50].map((failures) =>
    backOffDelay(failures, { first: 100, longest: 3000, random: () => 1 })
  );
  assertEquals(bounds, [100, 200, 400, 3000, 3000]);
  assertEquals(backOffDelay(3, { random: () => 0 }), 0);
});

Deno.test("RelayClient rejects with what its observer throws when it dials", { permissions }, async () => {
  for (const attempt of [1, 2]) {
    const world = new Simulation();
    const observer = {
      dialing: (count: number) => {
        if (count === attempt) throw new TypeError(`dialing ${count}`);
      },
    };
    const run = world.clock.runUntil(world.client({ port: 1, text: "hello", observer })); // Nobody listens.
    await assertRejects(() => run, TypeError, `dialing ${attempt}`);
    assertEquals(world.clock.timers, 0);
  }
});

Deno.test(
  "RelayClient rejects with what its observer throws when it cannot connect",
  { permissions },
  async () => {
    const world = new Simulation();
    const observer = {
      notConnected: () => {
        throw new TypeError("not connected");
      },
    };
    const run = world.clock.runUntil(world.client({ port: 1, text: "hello", observer }));
    await assertRejects(() => run, TypeError, "not connected");
    assertEquals(world.clock.timers, 0);
  },
);
