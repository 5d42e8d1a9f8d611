import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Router } from "../relay/router.ts";

/** A peer with a name, and a router whose choices are scripted: each draw is the slot that shall be chosen. */
interface Peer {
  readonly name: string;
  slot: number;
}

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

  readonly out = (peer: Peer, line: string): void => {
    assert(peer.slot >= 0, `${peer.name} was sent ${line} after it left`);
    this.sent.push(`${peer.name} < ${line}`);
  };

  /** Chooses the next receivers: `[k, n]` is the k-th of n candidates. */
  draw(...choices: [number, number][]): void {
    this.#draws.push(...choices.map(([k, n]) => (k + 0.5) / n));
  }

  join(...names: string[]): Peer[] {
    return names.map((name) => {
      const peer = { name, slot: -1 };
      this.router.join(peer);
      return peer;
    });
  }

  /** What was sent since the last call. */
  take(): string[] {
    return this.sent.splice(0);
  }
}

const pure = { permissions: "none" } as const;

Deno.test("Router.line() hands a message to the peer chosen and its ok to the origin", pure, () => {
  const bench = new Bench();
  const [a, , c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([2, 3]);
  assertEquals(bench.router.line(a, "message x", 0, bench.out), { kind: "message" });
  assertEquals(bench.take(), ["c < message x"]);
  assertEquals(bench.router.stats().pending, 1);
  assertEquals(bench.router.line(c, "ok x", 0, bench.out), { kind: "ok" });
  assertEquals(bench.take(), ["a < ok x"]);
  assertEquals(bench.router.stats().pending, 0);
});

Deno.test("Router.line() may choose the sender itself, and every slot", pure, () => {
  const bench = new Bench();
  const peers = bench.join("a", "b", "c");
  for (const k of [0, 1, 2]) bench.draw([k, 3]);
  for (const text of ["x", "y", "z"]) bench.router.line(peers[0]!, `message ${text}`, 0, bench.out);
  assertEquals(bench.take(), ["a < message x", "b < message y", "c < message z"]);
});

Deno.test("Router.line() chooses uniformly", pure, () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const router = new Router<Peer>({ random, ackTimeout: 0, redeliver: true });
  const got = new Map<string, number>();
  const peers = ["a", "b", "c", "d"].map((name) => ({ name, slot: -1 }));
  for (const peer of peers) router.join(peer);
  const out = (peer: Peer) => void got.set(peer.name, (got.get(peer.name) ?? 0) + 1);
  for (let i = 0; i < 8000; i++) router.line(peers[0]!, `message ${i}`, 0, out);
  // Chi-square with 3 degrees of freedom: 16.27 is passed once in a thousand by chance, and the seed is fixed.
  const chi = [...got.values()].reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
  assertEquals(got.size, 4);
  assert(chi < 16.27, `chi-square ${chi}`);
});

Deno.test("Router.line() treats an ok from a peer that was not given the message as stray", pure, () => {
  const bench = new Bench();
  const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([1, 3]);
  bench.router.line(a, "message x", 0, bench.out);
  bench.take();
  assertEquals(bench.router.line(c, "ok x", 0, bench.out), { kind: "stray" });
  assertEquals(bench.router.line(a, "ok x", 0, bench.out), { kind: "stray" });
  assertEquals(bench.router.line(b, "ok y", 0, bench.out), { kind: "stray" });
  assertEquals(bench.take(), []);
  assertEquals(bench.router.stats().stray, 3);
  assertEquals(bench.router.line(b, "ok x", 0, bench.out), { kind: "ok" });
  assertEquals(bench.router.line(b, "ok x", 0, bench.out), { kind: "stray" });
  assertEquals(bench.take(), ["a < ok x"]);
});

Deno.test(
  "Router.line() delivers each sending of the same text, and the first ok settles them all",
  pure,
  () => {
    const bench = new Bench();
    const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
    bench.draw([0, 3], [1, 3], [2, 3], [0, 3]);
    for (const origin of [a, b, c, a]) bench.router.line(origin, "message x", 0, bench.out);
    assertEquals(bench.take(), ["a < message x", "b < message x", "c < message x", "a < message x"]);
    assertEquals(bench.router.stats().pending, 1);
    bench.router.line(b, "ok x", 0, bench.out);
    assertEquals(bench.take().sort(), ["a < ok x", "b < ok x", "c < ok x"]);
    assertEquals(bench.router.line(c, "ok x", 0, bench.out), { kind: "stray" });
  },
);

Deno.test("Router.leave() hands what the peer held to another", pure, () => {
  const bench = new Bench();
  const [a, b] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([1, 3], [1, 2]);
  bench.router.line(a, "message x", 0, bench.out);
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.take(), ["b < message x", "c < message x"]);
  assertEquals(bench.router.stats().redelivered, 1);
});

Deno.test("Router.leave() hands on each copy that the peer held", pure, () => {
  const bench = new Bench();
  const [a, b] = bench.join("a", "b") as [Peer, Peer];
  bench.draw([1, 2], [1, 2], [0, 1], [0, 1]);
  bench.router.line(a, "message x", 0, bench.out);
  bench.router.line(a, "message x", 0, bench.out);
  bench.take();
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.take(), ["a < message x", "a < message x"]);
});

Deno.test("Router.leave() drops a message when its last origin goes", pure, () => {
  const bench = new Bench();
  const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
  bench.draw([2, 3], [2, 3]);
  bench.router.line(a, "message x", 0, bench.out);
  bench.router.line(b, "message x", 0, bench.out);
  bench.take();
  bench.router.leave(a, 0, bench.out);
  assertEquals(bench.router.stats().pending, 1);
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.router.stats().pending, 0);
  assertEquals(bench.router.stats().dropped, 1);
  assertEquals(bench.router.line(c, "ok x", 0, bench.out), { kind: "stray" });
});

Deno.test("Router.leave() of an origin that held its own message drops it without redelivery", pure, () => {
  const bench = new Bench({ ackTimeout: 10 });
  const [a] = bench.join("a", "b") as [Peer, Peer];
  bench.draw([0, 2]);
  bench.router.line(a, "message x", 0, bench.out);
  bench.take();
  bench.router.leave(a, 0, bench.out);
  assertEquals(bench.take(), []);
  assertEquals(bench.router.nextDue, undefined);
});

Deno.test("Router with redeliver off keeps a message pending until its origins go", pure, () => {
  const bench = new Bench({ ackTimeout: 10, redeliver: false });
  const [a, b] = bench.join("a", "b") as [Peer, Peer];
  bench.draw([1, 2]);
  bench.router.line(a, "message x", 0, bench.out);
  bench.take();
  bench.router.leave(b, 0, bench.out);
  assertEquals(bench.router.expire(1000, bench.out), undefined);
  assertEquals(bench.take(), []);
  assertEquals(bench.router.stats().pending, 1);
  bench.router.leave(a, 0, bench.out);
  assertEquals(bench.router.stats().pending, 0);
});

Deno.test(
  "Router.expire() hands a message on at its ack timeout and not before, never to its holder",
  pure,
  () => {
    const bench = new Bench({ ackTimeout: 10 });
    const [a, b, c] = bench.join("a", "b", "c") as [Peer, Peer, Peer];
    bench.draw([1, 3], [1, 2], [0, 2]);
    bench.router.line(a, "message x", 5, bench.out);
    assertEquals(bench.router.expire(14.9, bench.out), 15);
    assertEquals(bench.take(), ["b < message x"]);
    assertEquals(bench.router.expire(15, bench.out), 25);
    assertEquals(bench.take(), ["c < message x"]); // of a and c the second
    assertEquals(bench.router.expire(25, bench.out), 35);
    assertEquals(bench.take(), ["a < message x"]); // of a and b the first
    // An earlier holder may still settle it.
    assertEquals(bench.router.line(b, "ok x", 30, bench.out), { kind: "ok" });
    assertEquals(bench.take(), ["a < ok x"]);
    assertEquals(bench.router.line(c, "ok x", 30, bench.out), { kind: "stray" });
    assertEquals(bench.router.nextDue, undefined);
  },
);

Deno.test("Router.expire() gives a message to its holder again when it is alone", pure, () => {
  const bench = new Bench({ ackTimeout: 10 });
  const [a] = bench.join("a") as [Peer];
  bench.router.line(a, "message x", 0, bench.out);
  bench.router.expire(10, bench.out);
  assertEquals(bench.take(), ["a < message x", "a < message x"]);
});

Deno.test("Router.line() rejects what makes no sense, and never answers an error", pure, () => {
  const bench = new Bench();
  const [a] = bench.join("a") as [Peer];
  for (const line of ["", "message", "ok", "hello there", "MESSAGE x", "auth secret"]) {
    assertEquals(bench.router.line(a, line, 0, bench.out).kind, "rejected", line);
  }
  assertEquals(bench.router.line(a, "error out of paper", 0, bench.out), { kind: "error" });
  assertEquals(bench.take(), []);
  const { rejected, errors, pending } = bench.router.stats();
  assertEquals({ rejected, errors, pending }, { rejected: 6, errors: 1, pending: 0 });
});

Deno.test("Router.line() compares texts as written and carries the empty one", pure, () => {
  const bench = new Bench();
  const [a] = bench.join("a") as [Peer];
  bench.router.line(a, "message ", 0, bench.out);
  bench.router.line(a, "message \\\\", 0, bench.out);
  assertEquals(bench.router.line(a, "ok \\", 0, bench.out), { kind: "stray" });
  bench.router.line(a, "ok ", 0, bench.out);
  assertEquals(bench.take(), ["a < message ", "a < message \\\\", "a < ok "]);
});

/** What a test may do to a router: indices are taken modulo what is there. */
type Step =
  | { do: "join" }
  | { do: "leave"; peer: number }
  | { do: "message"; peer: number; text: number }
  | { do: "ok"; peer: number; text: number }
  | { do: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("join" as const) }),
  fc.record({ do: fc.constant("leave" as const), peer: fc.nat(20) }),
  fc.record({ do: fc.constant("message" as const), peer: fc.nat(20), text: fc.nat(5) }),
  fc.record({ do: fc.constant("ok" as const), peer: fc.nat(20), text: fc.nat(5) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.nat(15) }),
);

/** The relay by its rules and nothing else: sets of names, no speed. */
class Model {
  readonly origins = new Map<string, Set<Peer>>();
  readonly holders = new Map<string, Set<Peer>>();

  message(origin: Peer, text: string): void {
    this.origins.set(text, (this.origins.get(text) ?? new Set()).add(origin));
  }

  delivered(holder: Peer, text: string): void {
    assert(this.origins.has(text), `${text} was delivered after it was settled`);
    this.holders.set(text, (this.holders.get(text) ?? new Set()).add(holder));
  }

  /** Who must get this ok. */
  ok(holder: Peer, text: string): Set<Peer> {
    if (!this.holders.get(text)?.has(holder)) return new Set();
    const origins = this.origins.get(text) ?? new Set();
    this.forget(text);
    return origins;
  }

  leave(peer: Peer): void {
    for (const holders of this.holders.values()) holders.delete(peer);
    for (const [text, origins] of this.origins) {
      origins.delete(peer);
      if (origins.size === 0) this.forget(text);
    }
  }

  forget(text: string): void {
    this.origins.delete(text);
    this.holders.delete(text);
  }
}

Deno.test("Router does what the rules say in any order of events, and ends empty", pure, () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999999, noNaN: true })),
      (steps, draws) => {
        const router = new Router<Peer>({
          random: () => draws.next().value ?? 0,
          ackTimeout: 10,
          redeliver: true,
        });
        const model = new Model();
        const peers: Peer[] = [];
        let now = 0;
        let oks = new Set<Peer>();
        const out = (peer: Peer, line: string) => {
          assert(peers.includes(peer), `${peer.name} was sent ${line} after it left`);
          if (line.startsWith("message ")) model.delivered(peer, line.slice(8));
          else assert(oks.delete(peer), `${peer.name} got an ok that is not its own, or twice`);
        };
        const leave = (peer: Peer) => {
          peers.splice(peers.indexOf(peer), 1);
          model.leave(peer);
          router.leave(peer, now, out);
        };
        steps.forEach((step, index) => {
          if (step.do === "join") {
            const peer = { name: `peer ${index}`, slot: -1 };
            peers.push(peer);
            router.join(peer);
          } else if (step.do === "wait") {
            now += step.ms;
            const next = router.expire(now, out);
            assert(next === undefined || next > now);
          } else if (peers.length > 0) {
            const peer = peers[step.peer % peers.length]!;
            if (step.do === "leave") leave(peer);
            else if (step.do === "message") {
              model.message(peer, `${step.text}`);
              router.line(peer, `message ${step.text}`, now, out);
            } else {
              oks = model.ok(peer, `${step.text}`);
              router.line(peer, `ok ${step.text}`, now, out);
              assertEquals(oks.size, 0, "an origin did not get its ok");
            }
          }
          const stats = router.stats();
          assertEquals({ active: stats.active, pending: stats.pending }, {
            active: peers.length,
            pending: model.origins.size,
          });
          // While an origin lives, somebody has its message and a deadline stands.
          assert(stats.pending === 0 || stats.due >= stats.pending);
        });
        for (const peer of [...peers]) leave(peer);
        const { active, pending, due } = router.stats();
        assertEquals({ active, pending, due }, { active: 0, pending: 0, due: 0 });
      },
    ),
  );
});
