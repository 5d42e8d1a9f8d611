import { assert, assertEquals, assertThrows } from "@std/assert";
import { Router } from "../../../relay/router/router.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { Peer } from "../../_util/models/peer.ts";
import { pure } from "../../_util/permissions.ts";

/** A router whose choices are scripted: each draw is the slot that shall be chosen. */
class Bench {
  readonly sent: string[] = [];
  readonly router: Router<Peer>;
  readonly #draws: number[] = [];

  constructor(options: { ackTimeout?: number; redeliver?: boolean } = {}) {
    this.router = new Router<Peer>({
      random: () => this.#draws.shift() ?? 0,
      ackTimeout: options.ackTimeout ?? 0,
      redeliver: options.redeliver ?? true,
    });
  }

  readonly out = (peer: Peer, line: Line): void => {
    assert(peer.slot >= 0, `${peer.name} was sent ${line} after it left`);
    this.sent.push(`${peer.name} < ${line}`);
  };

  /** Chooses the next receivers: `[k, n]` is the k-th of n candidates. */
  draw(...choices: [number, number][]): void {
    this.#draws.push(...choices.map(([k, n]) => (k + 0.5) / n));
  }

  join(...names: string[]): Peer[] {
    return names.map((name) => {
      const peer = new Peer(name);
      this.router.join(peer);
      return peer;
    });
  }

  /** Returns the lines sent since the last call. */
  take(): string[] {
    return this.sent.splice(0);
  }
}

Deno.test("Router.line() delivers a message to the chosen peer and its ok to the origin", pure, () => {
  const bench = new Bench();
  const [a, , c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([2, 3]);
  assertEquals(bench.router.line(a, Line.of("message x"), 0, bench.out), { kind: "message" });
  assertEquals(bench.take(), ["c < message x"]);
  assertEquals(bench.router.stats().pending, 1);
  assertEquals(bench.router.line(c, Line.of("ok x"), 0, bench.out), { kind: "ok" });
  assertEquals(bench.take(), ["a < ok x"]);
  assertEquals(bench.router.stats().pending, 0);
});

Deno.test("Router.line() chooses any peer, including the sender", pure, () => {
  const bench = new Bench();
  const peers = bench.join("a", "b", "c");
  for (const k of [0, 1, 2]) bench.draw([k, 3]);
  for (const text of ["x", "y", "z"]) bench.router.line(peers[0]!, Line.of(`message ${text}`), 0, bench.out);
  assertEquals(bench.take(), ["a < message x", "b < message y", "c < message z"]);
});

Deno.test("Router.line() chooses uniformly", pure, () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const router = new Router<Peer>({ random, ackTimeout: 0, redeliver: true });
  const got = new Map<string, number>();
  const peers = ["a", "b", "c", "d"].map((name) => new Peer(name));
  for (const peer of peers) router.join(peer);
  const out = (peer: Peer) => void got.set(peer.name, (got.get(peer.name) ?? 0) + 1);
  for (let i = 0; i < 8000; i++) router.line(peers[0]!, Line.of(`message ${i}`), 0, out);
  // Chi-square with 3 degrees of freedom: 16.27 is passed once in a thousand by chance, and the seed is fixed.
  const chi = [...got.values()].reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
  assertEquals(got.size, 4);
  assert(chi < 16.27, `chi-square ${chi}`);
});

Deno.test("Router.line() treats an ok from a peer that was not given the message as stray", pure, () => {
  const bench = new Bench();
  const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([1, 3]);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.take();
  assertEquals(bench.router.line(c, Line.of("ok x"), 0, bench.out), { kind: "stray" });
  assertEquals(bench.router.line(a, Line.of("ok x"), 0, bench.out), { kind: "stray" });
  assertEquals(bench.router.line(b, Line.of("ok y"), 0, bench.out), { kind: "stray" });
  assertEquals(bench.take(), []);
  assertEquals(bench.router.stats().stray, 3);
  assertEquals(bench.router.line(b, Line.of("ok x"), 0, bench.out), { kind: "ok" });
  assertEquals(bench.router.line(b, Line.of("ok x"), 0, bench.out), { kind: "stray" });
  assertEquals(bench.take(), ["a < ok x"]);
});

Deno.test(
  "Router.line() delivers each sending of the same text, and the first ok settles them all",
  pure,
  () => {
    const bench = new Bench();
    const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
    bench.draw([0, 3], [1, 3], [2, 3], [0, 3]);
    for (const origin of [a, b, c, a]) bench.router.line(origin, Line.of("message x"), 0, bench.out);
    assertEquals(bench.take(), ["a < message x", "b < message x", "c < message x", "a < message x"]);
    assertEquals(bench.router.stats().pending, 1);
    bench.router.line(b, Line.of("ok x"), 0, bench.out);
    assertEquals(bench.take().sort(), ["a < ok x", "b < ok x", "c < ok x"]);
    assertEquals(bench.router.line(c, Line.of("ok x"), 0, bench.out), { kind: "stray" });
  },
);

Deno.test("Router.leave() redelivers the messages that the peer held", pure, () => {
  const bench = new Bench();
  const [a, b] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([1, 3], [1, 2]);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.take(), ["b < message x", "c < message x"]);
  assertEquals(bench.router.stats().redelivered, 1);
});

Deno.test("Router.leave() redelivers each copy that the peer held", pure, () => {
  const bench = new Bench();
  const [a, b] = bench.join("a", "b") as [Peer, Peer];
  bench.draw([1, 2], [1, 2], [0, 1], [0, 1]);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.take();
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.take(), ["a < message x", "a < message x"]);
});

Deno.test("Router.leave() drops a message when its last origin leaves", pure, () => {
  const bench = new Bench();
  const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([2, 3], [2, 3]);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.router.line(b, Line.of("message x"), 0, bench.out);
  bench.take();
  bench.router.leave(a, 0, bench.out);
  assertEquals(bench.router.stats().pending, 1);
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.router.stats().pending, 0);
  assertEquals(bench.router.stats().dropped, 1);
  assertEquals(bench.router.line(c, Line.of("ok x"), 0, bench.out), { kind: "stray" });
});

Deno.test("Router.line() accepts an ok from a peer that holds a text of an origin that left", pure, () => {
  const bench = new Bench();
  const [a, b, , d] = bench.join("a", "b", "c", "d") as [Peer, Peer, Peer, Peer];
  bench.draw([2, 4], [3, 4]);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.router.line(b, Line.of("message x"), 0, bench.out);
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.take(), ["c < message x", "d < message x"]);
  assertEquals(bench.router.line(d, Line.of("ok x"), 0, bench.out), { kind: "ok" });
  assertEquals(bench.take(), ["a < ok x"]);
});

Deno.test("Router.leave() drops a message without redelivery when its origin held it", pure, () => {
  const bench = new Bench({ ackTimeout: 10 });
  const [a] = bench.join("a", "b") as [Peer, Peer];
  bench.draw([0, 2]);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.take();
  bench.router.leave(a, 0, bench.out);
  assertEquals(bench.take(), []);
  assertEquals(bench.router.nextDue, undefined);
});

Deno.test("Router keeps a message pending until its origins leave when redeliver is off", pure, () => {
  const bench = new Bench({ ackTimeout: 10, redeliver: false });
  const [a, b] = bench.join("a", "b") as [Peer, Peer];
  bench.draw([1, 2]);
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.take();
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.router.expire(1000, bench.out), undefined);
  assertEquals(bench.take(), []);
  assertEquals(bench.router.stats().pending, 1);
  bench.router.leave(a, 0, bench.out);
  assertEquals(bench.router.stats().pending, 0);
});

Deno.test(
  "Router.expire() redelivers a message exactly at its ack timeout, and not to its holder",
  pure,
  () => {
    const bench = new Bench({ ackTimeout: 10 });
    const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
    bench.draw([1, 3], [1, 2], [0, 2]);
    bench.router.line(a, Line.of("message x"), 5, bench.out);
    assertEquals(bench.router.expire(14.9, bench.out), 15);
    assertEquals(bench.take(), ["b < message x"]);
    assertEquals(bench.router.expire(15, bench.out), 25);
    assertEquals(bench.take(), ["c < message x"]); // of a and c the second
    assertEquals(bench.router.expire(25, bench.out), 35);
    assertEquals(bench.take(), ["a < message x"]); // of a and b the first
    // An earlier holder may still settle it.
    assertEquals(bench.router.line(b, Line.of("ok x"), 30, bench.out), { kind: "ok" });
    assertEquals(bench.take(), ["a < ok x"]);
    assertEquals(bench.router.line(c, Line.of("ok x"), 30, bench.out), { kind: "stray" });
    assertEquals(bench.router.nextDue, undefined);
  },
);

Deno.test("Router.expire() redelivers a message to its holder when there is no other peer", pure, () => {
  const bench = new Bench({ ackTimeout: 10 });
  const [a] = bench.join("a") as [Peer];
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.router.expire(10, bench.out);
  assertEquals(bench.take(), ["a < message x", "a < message x"]);
});

Deno.test("Router.line() rejects malformed lines, and never answers an error line", pure, () => {
  const bench = new Bench();
  const [a] = bench.join("a") as [Peer];
  for (const line of ["", "message", "ok", "hello there", "MESSAGE x", "auth secret"]) {
    assertEquals(bench.router.line(a, Line.of(line), 0, bench.out).kind, "rejected", line);
  }
  assertEquals(bench.router.line(a, Line.of("error out of paper"), 0, bench.out), { kind: "error" });
  assertEquals(bench.take(), []);
  const { rejected, errors, pending } = bench.router.stats();
  assertEquals({ rejected, errors, pending }, { rejected: 6, errors: 1, pending: 0 });
});

Deno.test("Router.line() compares texts as written, including the empty one", pure, () => {
  const bench = new Bench();
  const [a] = bench.join("a") as [Peer];
  bench.router.line(a, Line.of("message "), 0, bench.out);
  bench.router.line(a, Line.of("message \\\\"), 0, bench.out);
  assertEquals(bench.router.line(a, Line.of("ok \\"), 0, bench.out), { kind: "stray" });
  bench.router.line(a, Line.of("ok "), 0, bench.out);
  assertEquals(bench.take(), ["a < message ", "a < message \\\\", "a < ok "]);
});

Deno.test("Router.close() rejects new messages, and settles pending ones", pure, () => {
  const bench = new Bench();
  const [a] = bench.join("a") as [Peer];
  bench.router.line(a, Line.of("message x"), 0, bench.out);
  bench.router.close("enough");
  const verdict = bench.router.line(a, Line.of("message y"), 0, bench.out);
  assertEquals(verdict, { kind: "limited", limit: "draining", reason: "enough" });
  assertEquals(bench.router.line(a, Line.of("ok x"), 0, bench.out), { kind: "ok" });
  assertEquals(bench.take(), ["a < message x", "a < ok x"]);
  const { messages, limited, limitedBy, pending } = bench.router.stats();
  assertEquals({ messages, limited, pending }, { messages: 1, limited: 1, pending: 0 });
  assertEquals(limitedBy, { "max-under-way": 0, "max-under-way-per-peer": 0, "draining": 1 });
});

Deno.test(
  "Router.leave() throws for a peer that has not joined, or has left, and changes nothing",
  pure,
  () => {
    const bench = new Bench();
    const [a, b] = bench.join("a", "b") as [Peer, Peer];
    bench.router.leave(b, 0, bench.out);
    const elsewhere = new Peer("elsewhere");
    new Bench().router.join(elsewhere);
    for (const peer of [new Peer("new"), b, elsewhere]) {
      const expected = "Cannot remove the peer: expected one that has joined and not left";
      assertThrows(() => bench.router.leave(peer, 0, bench.out), TypeError, expected);
      assertThrows(() => bench.router.halfClose(peer, 0, bench.out), TypeError, expected);
    }
    assertEquals(bench.router.size, 1);
    bench.router.line(a, Line.of("message x"), 0, bench.out);
    assertEquals(bench.take(), ["a < message x"]);
  },
);

Deno.test("Router.leave() and halfClose() throw the second time for a half-closed peer", pure, () => {
  const bench = new Bench();
  const [, b] = bench.join("a", "b") as [Peer, Peer];
  bench.router.halfClose(b, 0, bench.out);
  assertThrows(() => bench.router.halfClose(b, 0, bench.out), TypeError);
  bench.router.leave(b, 0, bench.out);
  assertThrows(() => bench.router.leave(b, 0, bench.out), TypeError);
  assertEquals(bench.router.size, 1);
});

Deno.test("Router.join() throws for a peer that has joined and not left", pure, () => {
  const bench = new Bench();
  const [a, b] = bench.join("a", "b") as [Peer, Peer];
  assertThrows(() => bench.router.join(a), TypeError, "Cannot add the peer: it has joined already");
  assertThrows(() => bench.router.joinNode(a, 3), TypeError, "Cannot add the peer: it has joined already");
  assertThrows(() => new Bench().router.join(a), TypeError, "Cannot add the peer: it has joined already");
  bench.router.halfClose(b, 0, bench.out);
  assertThrows(() => bench.router.join(b), TypeError, "Cannot add the peer: it has joined already");
  assertEquals([bench.router.size, bench.router.stats().nodes], [1, 0]);
  bench.router.leave(b, 0, bench.out);
  bench.router.join(b);
  assertEquals(bench.router.size, 2);
});
