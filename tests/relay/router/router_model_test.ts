/** The router against a model of its rules, in any order of events. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Router, type RouterOptions } from "../../../relay/router/router.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { Peer } from "../../_util/models/peer.ts";
import { RelayModel, type UnderWayLimits } from "../../_util/models/relay_model.ts";
import { pure } from "../../_util/permissions.ts";

/** Events of a router in a test. Indices are modulo the number of peers. */
type Step =
  | { do: "join" }
  | { do: "leave"; peer: number }
  | { do: "message"; peer: number; text: number }
  | { do: "ok"; peer: number; text: number }
  | { do: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("join" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), peer: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("message" as const), peer: fc.nat(20), text: fc.nat(5) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("ok" as const), peer: fc.nat(20), text: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(15) }) },
);

/** A router and the model it is held against. */
class Trial {
  readonly #router: Router<Peer>;
  readonly #model: RelayModel<Peer>;
  readonly #timed: boolean;
  readonly #peers: Peer[] = [];
  #now = 0;
  #joined = 0;
  /** The peers that must receive the current ok. */
  #oks = new Set<Peer>();
  readonly #seen = { messages: 0, deliveries: 0, oks: 0, settled: 0, stray: 0, limited: 0 };

  constructor(options: RouterOptions & UnderWayLimits) {
    this.#router = new Router(options);
    this.#model = new RelayModel(options);
    this.#timed = options.redeliver;
  }

  run(step: Step): void {
    if (step.do === "join") this.#join();
    else if (step.do === "wait") this.#wait(step.ms);
    else if (this.#peers.length > 0) {
      const peer = this.#peers[step.peer % this.#peers.length]!;
      if (step.do === "leave") this.#leave(peer);
      else if (step.do === "message") this.#message(peer, `${step.text || ""}`);
      else this.#ok(peer, `${step.text || ""}`);
    }
    this.#compare();
  }

  end(): void {
    while (this.#peers.length > 0) this.run({ do: "leave", peer: 0 });
    const { active, pending, due } = this.#router.stats();
    assertEquals({ active, pending, due }, { active: 0, pending: 0, due: 0 });
  }

  #join(): void {
    const peer = new Peer(`peer ${this.#joined++}`);
    this.#peers.push(peer);
    this.#router.join(peer);
  }

  #leave(peer: Peer): void {
    this.#peers.splice(this.#peers.indexOf(peer), 1);
    this.#model.leave(peer);
    this.#router.leave(peer, this.#now, this.#out);
  }

  #message(peer: Peer, text: string): void {
    const limited = this.#model.message(peer, text);
    const verdict = this.#router.line(peer, Line.of(`message ${text}`), this.#now, this.#out);
    assertEquals(verdict, limited === undefined ? { kind: "message" } : { kind: "limited", ...limited });
    this.#seen[limited === undefined ? "messages" : "limited"]++;
  }

  #ok(peer: Peer, text: string): void {
    this.#oks = this.#model.ok(peer, text);
    const settles = this.#oks.size > 0;
    const verdict = this.#router.line(peer, Line.of(`ok ${text}`), this.#now, this.#out);
    assertEquals(verdict, { kind: settles ? "ok" : "stray" });
    assertEquals(this.#oks.size, 0, "an origin did not get its ok");
    this.#seen[settles ? "settled" : "stray"]++;
  }

  #wait(ms: number): void {
    this.#now += ms;
    const next = this.#router.expire(this.#now, this.#out);
    assert(next === undefined || next > this.#now);
    assertEquals(this.#router.nextDue, next);
  }

  readonly #out = (peer: Peer, sent: Line): void => {
    const line = sent.text();
    assert(this.#peers.includes(peer), `${peer.name} was sent ${line} after it left`);
    if (line.startsWith("message ")) {
      this.#seen.deliveries++;
      this.#model.delivered(peer, line.slice(8));
    } else {
      this.#seen.oks++;
      assert(this.#oks.delete(peer), `${peer.name} got an ok that is not its own, or twice`);
    }
  };

  #compare(): void {
    const stats = this.#router.stats();
    const { deliveries, ...seen } = this.#seen;
    assertEquals({ ...stats, ...seen, limitedBy: this.#model.limitedBy }, stats);
    const { active, pending, due, dropped, redelivered } = stats;
    assertEquals({ active, pending, due, dropped, redelivered }, {
      active: this.#peers.length,
      dropped: this.#model.dropped,
      pending: this.#model.originsOf.size,
      due: this.#timed ? this.#model.underWay : 0,
      redelivered: deliveries - seen.messages,
    });
    // While an origin is connected, its message has a holder.
    if (!this.#timed) return;
    for (const [text, holders] of this.#model.holders) assert(holders.size > 0, `${text} has no holder`);
  }
}

for (const redeliver of [true, false]) {
  Deno.test(
    `Router follows the model in any order of events, and ends empty, when redeliver is ${redeliver}`,
    pure,
    () => {
      const draws = fc.infiniteStream(fc.double({ min: 0, max: 0.999999, noNaN: true }));
      const limit = fc.integer({ min: 1, max: 20 });
      const anyLimits = fc.record({ maxInFlight: limit, maxInFlightPerPeer: limit });
      const steps = fc.array(step, { maxLength: 120, size: "max" });
      fc.assert(
        fc.property(steps, draws, anyLimits, (steps, draws, limits) => {
          const random = () => draws.next().value ?? 0;
          const trial = new Trial({ random, ackTimeout: 10, redeliver, ...limits });
          for (const step of steps) trial.run(step);
          trial.end();
        }),
      );
    },
  );
}
