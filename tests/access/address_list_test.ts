import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { addressCheck } from "../../access/address_list.ts";
import { authenticate } from "../../access/authenticate.ts";
import type { CloseReason } from "../../socket/errors.ts";
import { listen } from "../../socket/listen.ts";
import { tokenCheck } from "../../access/token.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";
import { on } from "../_util/on_event.ts";

const permissions = "none";

Deno.test("addressCheck() accepts addresses and ranges, and prefers deny to allow", { permissions }, () => {
  const mayConnect = addressCheck({ allow: ["10.0.0.0/8", "192.0.2.7", "fd00::/8"], deny: ["10.1.0.0/16"] });
  const allowed = ["10.0.0.1", "10.255.255.255", "192.0.2.7", "fdff::1", "::ffff:10.0.0.1"];
  const refused = [
    "10.1.0.0",
    "10.1.255.255",
    "11.0.0.0",
    "192.0.2.6",
    "192.0.2.8",
    "fc00::1",
    "::1",
    "::ffff:10.1.2.3",
  ];
  assertEquals(allowed.filter((address) => !mayConnect(address)), []);
  assertEquals(refused.filter(mayConnect), []);
});

Deno.test(
  "addressCheck() allows every address without lists, and all others when only deny is set",
  { permissions },
  () => {
    assertEquals(["1.2.3.4", "::1"].map(addressCheck({})), [true, true]);
    assertEquals(["1.2.3.4", "1.2.3.5", "::1"].map(addressCheck({ deny: ["1.2.3.4", "::/0"] })), [
      false,
      true,
      false,
    ]);
  },
);

Deno.test("addressCheck() throws when a range is malformed, and names it", { permissions }, () => {
  for (
    const bad of [
      "",
      "localhost",
      "10.0.0.0/33",
      "10.0.0/8",
      "fd00::/129",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "10.0.0.0/-1",
    ]
  ) {
    assertThrows(() => addressCheck({ allow: [bad] }), RangeError, JSON.stringify(bad));
  }
});

Deno.test("tokenCheck() accepts only its token", { permissions }, () => {
  fc.assert(fc.property(fc.string(), (given) => tokenCheck("päss word")(given) === (given === "päss word")));
  const isToken = tokenCheck("päss word");
  assertEquals(isToken("päss word"), true);
  // What is nearly the secret: parts of it, more than it, and what looks the same.
  const near = [
    "",
    "p",
    "päss wor",
    "päss word ",
    " päss word",
    "Päss word",
    "pa\u0308ss word",
    "päss\u00a0word",
  ];
  assertEquals(near.filter(isToken), []);
  // Enough texts for parts of some digests to be equal.
  for (let i = 0; i < 2000; i++) assertEquals(isToken(`päss word ${i}`), false);
});

Deno.test("tokenCheck() throws when a token cannot be sent as one line, without showing it", {
  permissions,
}, () => {
  for (const bad of ["", "a\\b", "a\nb", "a\u0000", "\uD800"]) {
    const error = assertThrows(() => tokenCheck(bad), RangeError);
    if (bad !== "") assertEquals(error.message.includes(bad), false);
  }
});

Deno.test(
  "RelayServer.access.auth admits a peer without an answer when its token is right",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = world.relay({ access: { auth: { isToken: tokenCheck("sesame") } } });
    const peer = await world.peer(server.port);
    peer.say("auth sesame");
    peer.say("message at once");
    assertEquals(await peer.hear(), "message at once");
    peer.say("auth sesame");
    assertEquals(await peer.hear(), "error unexpected auth: this connection needs none");
    peer.connection.abort();
  },
);

Deno.test("RelayServer.access.auth refuses lines before the token, and closes the peer at the third one", {
  permissions,
}, async () => {
  const world = new Simulation();
  await using server = world.relay({ access: { auth: { isToken: tokenCheck("sesame") } } });
  const peer = await world.peer(server.port);
  peer.say("message let me in");
  assertEquals(await peer.hear(), "error expected auth TOKEN as the first line");
  peer.say("auth guess");
  assertEquals(await peer.hear(), "error wrong token");
  assertEquals(server.stats().active, 0);
  peer.say("auth another");
  assertEquals(await peer.hear(), "error unauthorized: wrong token");
  assertEquals(await peer.hear(), undefined);
  await world.clock.runUntil(peer.connection.close());
  const { closed, messages, connections } = await world.clock.runUntil(
    server.until((stats) => stats.connections === 0),
  );
  assertEquals([closed.unauthorized, messages, connections], [1, 0, 0]);
});

Deno.test("RelayServer.access.auth admits a peer when its third try is right", { permissions }, async () => {
  const world = new Simulation();
  await using server = world.relay({ access: { auth: { isToken: tokenCheck("sesame") } } });
  const peer = await world.peer(server.port);
  for (const line of ["auth one", "auth two", "auth sesame", "message in"]) peer.say(line);
  assertEquals(await peer.hear(), "error wrong token");
  assertEquals(await peer.hear(), "error wrong token");
  assertEquals(await peer.hear(), "message in");
  peer.connection.abort();
});

Deno.test(
  "RelayServer.access.auth closes a peer when no token arrives before the timeout",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = world.relay({ access: { auth: { isToken: tokenCheck("sesame"), timeout: 2000 } } });
    const [silent, early] = [await world.peer(server.port), await world.peer(server.port)];
    const begun = world.clock.now();
    early.say("auth sesame");
    await world.clock.advance(1999);
    assertEquals(server.stats().connections, 2);
    await world.clock.advance(1);
    assertEquals(await silent.hear(), "error timeout: auth for 2000 ms");
    assertEquals(world.clock.now() - begun, 2000);
    await world.clock.advance(1000);
    const { connections, closed } = server.stats();
    assertEquals([connections, closed.timeout], [1, 1]);
    early.connection.abort();
    silent.connection.abort();
  },
);

Deno.test(
  "authenticate() waits ten seconds and sends error lines by default",
  { permissions },
  async () => {
    const world = new Simulation();
    const isToken = tokenCheck("sesame");
    const reasons: CloseReason[] = [];
    await using server = listen({
      ...world.seam,
      onEvent: on("closed", ({ reason }) => reasons.push(reason)),
    });
    void server.serve(async (peer) => {
      if (await authenticate(peer, { isToken, tries: 2, clock: world.clock })) peer.send("welcome");
    });
    const [guesser, silent] = [await world.peer(server.port), await world.peer(server.port)];
    guesser.say("auth Sesame");
    assertEquals(await guesser.hear(), "error wrong token");
    guesser.say("auth sesame ");
    await world.clock.runUntil(server.until(({ connections }) => connections === 0));
    assertEquals(reasons, [
      { type: "unauthorized", why: "wrong token" },
      { type: "timeout", which: "auth", ms: 10_000 },
    ]);
    for (const peer of [guesser, silent]) peer.connection.abort();
  },
);

Deno.test("RelayClient.token is accepted when the server requires it", { permissions }, async () => {
  const world = new Simulation();
  await using server = world.relay({ access: { auth: { isToken: tokenCheck("sesame") } } });
  const run = (token: string) =>
    world.clock.runUntil(
      world.client({
        port: server.port,
        text: "x",
        token,
        limits: { maxAttempts: 1 },
        timeouts: { ack: 1000 },
      }),
    );
  assertEquals((await run("sesame")).acknowledged, true);
  assertEquals((await run("wrong")).acknowledged, false);
});

Deno.test(
  "RelayServer.limits.maxInFlightPerPeer refuses a message over the limit, and accepts it after an ok",
  {
    permissions,
  },
  async () => {
    const world = new Simulation();
    await using server = world.relay({ limits: { maxInFlightPerPeer: 2 }, random: () => 0.99 });
    const [alice, bob] = [await world.peer(server.port), await world.peer(server.port)];
    await world.clock.runUntil(() => server.stats().active === 2);
    for (const text of ["one", "two", "three"]) alice.say(`message ${text}`);
    assertEquals(await alice.hear(), "error too many messages in flight on this connection (limit 2)");
    assertEquals([await bob.hear(), await bob.hear()], ["message one", "message two"]);
    bob.say("ok one");
    assertEquals(await alice.hear(), "ok one");
    alice.say("message three");
    assertEquals(await bob.hear(), "message three");
    bob.say("message own"); // another's limit is its own
    assertEquals(await bob.hear(), "message own");
    const { limited, messages } = server.stats();
    assertEquals([limited, messages], [1, 4]);
    for (const peer of [alice, bob]) peer.connection.abort();
  },
);

Deno.test(
  "RelayServer.limits.maxInFlightPerPeer counts each copy when one message is sent repeatedly",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = world.relay({ limits: { maxInFlightPerPeer: 3 }, random: () => 0 });
    const peer = await world.peer(server.port);
    for (let i = 0; i < 5; i++) peer.say("message x");
    const heard = [];
    for (let i = 0; i < 5; i++) heard.push((await peer.hear())?.split(" ")[0]);
    assertEquals(heard, ["message", "message", "message", "error", "error"]);
    peer.connection.abort();
  },
);

Deno.test(
  "RelayServer.limits.maxInFlight limits the messages of all peers together",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = world.relay({ limits: { maxInFlight: 2 }, random: () => 0 });
    const [alice, bob] = [await world.peer(server.port), await world.peer(server.port)];
    await world.clock.runUntil(() => server.stats().active === 2);
    alice.say("message a");
    assertEquals(await alice.hear(), "message a");
    bob.say("message b");
    assertEquals(await alice.hear(), "message b");
    bob.say("message c");
    assertEquals(await bob.hear(), "error too many messages in flight (limit 2)");
    bob.connection.reset(); // its message is dropped
    await world.clock.runUntil(() => server.stats().active === 1);
    alice.say("message d");
    assertEquals(await alice.hear(), "message d");
    alice.connection.abort();
  },
);
