import { assertEquals, assertThrows } from "@std/assert";
import { Router, type RouterOptions } from "../../../relay/router/router.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { Peer } from "../../_util/models/peer.ts";
import { pure } from "../../_util/permissions.ts";

/** A router with a node `far` that stands for 3 connections, and one connection `near`. */
function setUp(options: Partial<RouterOptions> = {}) {
  let next = 0;
  const router = new Router<Peer>({
    random: () => next,
    ackTimeout: 100,
    redeliver: true,
    ...options,
  });
  const [near, far] = [new Peer("near"), new Peer("far")];
  router.join(near);
  router.joinNode(far, 3);
  const sent: string[] = [];
  const out = (peer: Peer, line: Line) => void sent.push(`${peer.name} ${line}`);
  return {
    router,
    near,
    far,
    out,
    /** Makes the next choices those of a random number. */
    choose: (random: number) => void (next = random),
    take: () => sent.splice(0),
  };
}

Deno.test("Router.line() chooses nodes by the number of their connections", pure, () => {
  const { router, near, far, out, choose, take } = setUp();
  const other = new Peer("other");
  router.joinNode(other, 4);
  for (let index = 0; index < 8; index++) {
    choose(index / 8);
    router.line(near, Line.of(`message ${index}`), 0, out);
  }
  assertEquals(take().map((line) => line.split(" ")[0]), [
    "near",
    ...Array(3).fill("far"),
    ...Array(4).fill("other"),
  ]);
  router.weigh(far, 0);
  choose(0.99);
  router.line(near, Line.of("message x"), 0, out);
  choose(0.2);
  router.line(near, Line.of("message y"), 0, out);
  assertEquals(take(), ["other message x", "other message y"]);
});

Deno.test("Router.nodeLine() settles a message by a node's ok, once for each origin", pure, () => {
  const { router, near, far, out, choose, take } = setUp();
  const second = new Peer("second");
  router.join(second);
  choose(0.99);
  router.line(near, Line.of("message x"), 0, out);
  router.line(second, Line.of("message x"), 0, out);
  router.line(second, Line.of("message x"), 0, out);
  take();
  assertEquals(router.nodeLine(far, Line.of("ok x"), 0, out).kind, "ok");
  assertEquals(take().sort(), ["near ok x", "second ok x"]);
  assertEquals(router.stats().pending, 0);
  assertEquals(router.nodeLine(far, Line.of("ok x"), 0, out).kind, "late");
  assertEquals(router.stats().stray, 0);
});

Deno.test("Router.nodeLine() keeps a node's message on this node", pure, () => {
  const { router, near, far, out, choose, take } = setUp();
  choose(0.99);
  assertEquals(router.nodeLine(far, Line.of("message x"), 0, out).kind, "message");
  assertEquals(take(), ["near message x"]);
  assertEquals(router.line(near, Line.of("ok x"), 0, out).kind, "ok");
  assertEquals(take(), ["far ok x"]);
  assertEquals(router.stats().pending, 0);
});

Deno.test("Router.nodeLine() returns a message when there is no connection for it", pure, () => {
  const { router, near, far, out, take } = setUp();
  router.nodeLine(far, Line.of("message x"), 0, out);
  take();
  router.leave(near, 0, out);
  assertEquals(take(), ["far return x"]);
  assertEquals(router.nodeLine(far, Line.of("message y"), 0, out).kind, "returned");
  assertEquals(take(), ["far return y"]);
  assertEquals(router.stats().pending, 0);
  assertEquals(router.stats().returned, 2);
});

Deno.test("Router.nodeLine() returns messages of nodes while the router is closed", pure, () => {
  const { router, far, out, take } = setUp();
  router.close("draining");
  assertEquals(router.nodeLine(far, Line.of("message x"), 0, out).kind, "returned");
  assertEquals(take(), ["far return x"]);
});

Deno.test("Router.nodeLine() gives a returned message to another peer", pure, () => {
  const { router, near, far, out, choose, take } = setUp();
  choose(0.99);
  router.line(near, Line.of("message x"), 0, out);
  assertEquals(take(), ["far message x"]);
  choose(0);
  assertEquals(router.nodeLine(far, Line.of("return x"), 0, out).kind, "returned");
  assertEquals(take(), ["near message x"]);
  assertEquals(router.nodeLine(far, Line.of("return x"), 0, out).kind, "late");
});

Deno.test("Router.leave() gives what a node held to another peer", pure, () => {
  const { router, near, far, out, choose, take } = setUp();
  choose(0.99);
  router.line(near, Line.of("message x"), 0, out);
  choose(0);
  take();
  router.leave(far, 0, out);
  assertEquals(take(), ["near message x"]);
  assertEquals(router.stats().nodes, 0);
});

Deno.test("Router.leave() drops the messages of a node that leaves", pure, () => {
  const { router, near, far, out, take } = setUp();
  router.nodeLine(far, Line.of("message x"), 0, out);
  router.leave(far, 0, out);
  take();
  assertEquals(router.stats().pending, 0);
  assertEquals(router.line(near, Line.of("ok x"), 0, out).kind, "stray");
});

Deno.test(
  "Router.expire() gives a silent node's message to another peer, and drops it there once settled",
  pure,
  () => {
    const { router, near, out, choose, take } = setUp();
    choose(0.99);
    router.line(near, Line.of("message x"), 0, out);
    choose(0);
    take();
    router.expire(100, out);
    assertEquals(take(), ["near message x"]);
    router.line(near, Line.of("ok x"), 100, out);
    assertEquals(take().sort(), ["far drop x", "near ok x"]);
    assertEquals(router.stats().pending, 0);
  },
);

Deno.test("Router.expire() leaves the time of a node's message to that node", pure, () => {
  const { router, far, out, take } = setUp();
  router.nodeLine(far, Line.of("message x"), 0, out);
  take();
  assertEquals(router.expire(1000, out), undefined);
  assertEquals(take(), []);
});

Deno.test("Router.nodeLine() drops a node's message on its request, and not another origin's", pure, () => {
  const { router, near, far, out, take } = setUp();
  router.nodeLine(far, Line.of("message x"), 0, out);
  assertEquals(router.nodeLine(far, Line.of("drop x"), 0, out).kind, "dropped");
  assertEquals(router.stats().pending, 0);
  router.line(near, Line.of("message y"), 0, out);
  assertEquals(router.nodeLine(far, Line.of("drop y"), 0, out).kind, "late");
  assertEquals(router.stats().pending, 1);
  take();
});

Deno.test("Router.leave() notifies a node whose message lost its origin", pure, () => {
  const { router, near, far, out, choose, take } = setUp();
  const second = new Peer("second");
  router.join(second);
  choose(0.99);
  router.line(near, Line.of("message x"), 0, out);
  take();
  router.leave(near, 0, out);
  assertEquals(take(), ["far drop x"]);
  assertEquals(router.stats().dropped, 1);
  assertEquals(router.nodeLine(far, Line.of("ok x"), 0, out).kind, "late");
});

Deno.test("Router applies its limits to messages of connections, not of nodes", pure, () => {
  const { router, near, far, out } = setUp({ maxInFlight: 1, maxInFlightPerPeer: 1 });
  for (let index = 0; index < 5; index++) {
    assertEquals(router.nodeLine(far, Line.of(`message ${index}`), 0, out).kind, "message");
  }
  assertEquals(router.line(near, Line.of("message x"), 0, out).kind, "message");
  assertEquals(router.line(near, Line.of("message y"), 0, out).kind, "limited");
});

Deno.test("Router.leave() and weigh() throw for a node that has not joined, or has left", pure, () => {
  const { router, near, far, out, choose, take } = setUp();
  const [other, late] = [new Peer("other"), new Peer("late")];
  router.joinNode(other, 1);
  router.leave(other, 0, out);
  for (const peer of [other, late, near]) {
    assertThrows(() => router.weigh(peer, 9), TypeError, "Cannot weigh");
  }
  for (const peer of [other, late]) {
    assertThrows(() => router.leave(peer, 0, out), TypeError, "Cannot remove the peer");
  }
  assertThrows(() => router.joinNode(far, 1), TypeError, "Cannot add the peer");
  assertEquals([router.size, router.stats().nodes], [1, 1]);
  choose(0.25);
  router.line(near, Line.of("message x"), 0, out);
  choose(0.24);
  router.line(near, Line.of("message y"), 0, out);
  assertEquals(take(), ["far message x", "near message y"]);
});
