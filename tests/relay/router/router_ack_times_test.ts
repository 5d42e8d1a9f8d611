import { assertEquals } from "@std/assert";
import { DurationHistogram } from "../../../internal/duration_histogram.ts";
import { Router } from "../../../relay/router/router.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { Peer } from "../../_util/models/peer.ts";
import { pure } from "../../_util/permissions.ts";

const silent = (): void => {};

function setUp(): { router: Router<Peer>; ackTimes: DurationHistogram; peers: Peer[] } {
  const ackTimes = new DurationHistogram();
  const router = new Router<Peer>({ random: () => 0.9, ackTimeout: 100, redeliver: true, ackTimes });
  const peers = [new Peer("a"), new Peer("b"), new Peer("c")];
  for (const peer of peers) router.join(peer);
  return { router, ackTimes, peers };
}

Deno.test("Router.line() records the time from each message to its ok in ackTimes", pure, () => {
  const { router, ackTimes, peers: [a, b, c] } = setUp();
  router.line(a!, Line.of("message x"), 1000, silent);
  router.line(b!, Line.of("message x"), 1200, silent);
  assertEquals(ackTimes.count, 0);
  router.line(c!, Line.of("ok x"), 1250, silent);
  assertEquals([ackTimes.count, ackTimes.sum], [2, 300]);
  router.line(c!, Line.of("ok x"), 1300, silent);
  assertEquals(ackTimes.count, 2);
});

Deno.test("Router.line() counts redelivery into the time of a message", pure, () => {
  const { router, ackTimes, peers: [a, b] } = setUp();
  router.line(a!, Line.of("message x"), 0, silent);
  router.expire(100, silent);
  for (const peer of [a!, b!]) router.line(peer, Line.of("ok x"), 150, silent);
  assertEquals([ackTimes.count, ackTimes.sum], [1, 150]);
});

Deno.test(
  "Router.line() records nothing for messages of another node, which that node measures",
  pure,
  () => {
    const { router, ackTimes, peers: [, , c] } = setUp();
    const node = new Peer("node");
    router.joinNode(node, 0);
    router.line(node, Line.of("message x"), 0, silent);
    router.line(c!, Line.of("ok x"), 5, silent);
    assertEquals(router.stats().settled, 1);
    assertEquals(ackTimes.count, 0);
  },
);

Deno.test("Router.unsettled() counts messages without an ok by their sender", pure, () => {
  const { router, peers: [a, b, c] } = setUp();
  router.line(a!, Line.of("message x"), 0, silent);
  router.line(a!, Line.of("message y"), 0, silent);
  router.line(b!, Line.of("message x"), 0, silent);
  assertEquals([...router.unsettled()], [[a!, 2], [b!, 1]]);
  router.line(c!, Line.of("ok x"), 0, silent);
  assertEquals([...router.unsettled()], [[a!, 1]]);
});
