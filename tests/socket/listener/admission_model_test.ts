/** The limits of a relay against a model of them, in any order of events. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { RelayServer, RelayServerStats } from "../../../relay/mod.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { LimitsModel } from "../../_util/models/limits_model.ts";
import { RelayModel } from "../../_util/models/relay_model.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";
import { pure } from "../../_util/permissions.ts";

const LIMITS = {
  maxConnections: 5,
  maxConnectionsPerIp: 3,
  maxAcceptRate: 4,
  maxInFlight: 6,
  maxInFlightPerPeer: 3,
} as const;
const ACK_TIMEOUT = 20;

/** Possible events. Indices are modulo the number of peers. */
type Step =
  | { do: "connect"; ip: number }
  | { do: "leave"; peer: number; abruptly: boolean }
  | { do: "message" | "ok"; peer: number; text: number }
  | { do: "wait"; ms: number };

const index = fc.nat(20);
const say = (verb: "message" | "ok") => fc.record({ do: fc.constant(verb), peer: index, text: fc.nat(4) });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("connect" as const), ip: fc.nat(2) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("leave" as const), peer: index, abruptly: fc.boolean() }),
    },
    { weight: 6, arbitrary: say("message") },
    { weight: 3, arbitrary: say("ok") },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 600 }) }),
    },
  ),
  { maxLength: 80, size: "max" },
);

/** A peer that a test plays, and the lines it got in this step. */
class Peer {
  readonly ip: string;
  readonly connection: Connection;
  readonly read: Promise<void>;
  lines: string[] = [];

  constructor(ip: string, connection: Connection) {
    this.ip = ip;
    this.connection = connection;
    this.read = connection.consume((lines) => void this.lines.push(...lines));
  }
}

/** A relay with limits, and the models that it is held against. */
class Trial {
  /** Error lines that peers received because of a limit. */
  readonly told = new Set<string>();
  readonly door = new LimitsModel<Peer>(LIMITS);
  readonly #model = new RelayModel<Peer>(LIMITS);
  readonly #world = new Simulation();
  readonly #server: RelayServer = this.#world.relay({ limits: LIMITS, timeouts: { ack: ACK_TIMEOUT } });
  readonly #peers: Peer[] = [];
  /** Lines that the peers must have received at the end of this step, except messages. */
  readonly #expected = new Map<Peer, string[]>();

  async run(step: Step): Promise<void> {
    const peers = [...this.door.served];
    if (step.do === "connect") await this.#connect(`10.0.0.${step.ip}`);
    else if (step.do === "wait") await this.#wait(step.ms);
    else if (peers.length > 0) {
      const peer = peers[step.peer % peers.length]!;
      if (step.do === "leave") await this.#leave(peer, step.abruptly);
      else this.#say(peer, step.do, `${step.text}`);
    }
    await this.#hear();
    this.#compare();
  }

  /** Lets everybody in, and go: nothing may be left. */
  async end(): Promise<void> {
    while (this.door.queue.length > 0) await this.run({ do: "wait", ms: 250 });
    while (this.door.served.size > 0) await this.run({ do: "leave", peer: 0, abruptly: true });
    const { queuedBytes, timers } = this.#server.stats();
    assertEquals({ queuedBytes, timers }, { queuedBytes: 0, timers: 0 });
    const { clock, network } = this.#world;
    await clock.runUntil(this.#server.close());
    await Promise.all(this.#peers.map((peer) => peer.read));
    assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
    assertEquals(clock.timers, 0);
  }

  async #connect(ip: string): Promise<void> {
    const { clock, network } = this.#world;
    const dialed = connect({ port: this.#server.port, clock, network: network.from(ip) });
    const peer = new Peer(ip, await clock.runUntil(dialed));
    this.#peers.push(peer);
    this.door.queue.push(peer);
    this.#accept();
  }

  async #wait(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.door.tick();
      this.#accept();
    }
    await this.#world.clock.advance(ms);
  }

  #accept(): void {
    for (let next = this.door.accept(); next !== undefined; next = this.door.accept()) {
      if (next.refusal !== undefined) this.#expectError(next.peer, next.refusal);
    }
  }

  async #leave(peer: Peer, abruptly: boolean): Promise<void> {
    this.door.served.delete(peer);
    // A peer that is owed oks and half-closes would stay: see the relay's tests of half-closed senders.
    const owed = [...this.#model.originsOf.values()].flat().includes(peer);
    this.#model.leave(peer);
    if (abruptly || owed) peer.connection.reset();
    else await this.#world.clock.runUntil(peer.connection.close());
  }

  #say(peer: Peer, verb: "message" | "ok", text: string): void {
    peer.connection.send(`${verb} ${text}`);
    if (verb === "message") {
      const limited = this.#model.message(peer, text);
      if (limited !== undefined) this.#expectError(peer, limited.reason);
    } else {
      for (const origin of this.#model.ok(peer, text)) this.#expect(origin, `ok ${text}`);
    }
  }

  #expectError(peer: Peer, reason: string): void {
    this.told.add(reason);
    this.#expect(peer, `error ${reason}`);
  }

  #expect(peer: Peer, line: string): void {
    this.#expected.set(peer, [...this.#expected.get(peer) ?? [], line]);
  }

  /** Takes what each peer was sent in this step. */
  async #hear(): Promise<void> {
    await this.#world.clock.advance(0);
    for (const peer of this.#peers) {
      const others = peer.lines.filter((line) => !line.startsWith("message "));
      assertEquals(others, this.#expected.get(peer) ?? []);
      for (const line of peer.lines) {
        if (line.startsWith("message ")) this.#model.delivered(peer, line.slice("message ".length));
        else if (line.startsWith("error busy")) peer.connection.abort();
      }
      peer.lines = [];
    }
    this.#expected.clear();
    await this.#world.clock.advance(0);
  }

  #compare(): void {
    const stats = this.#server.stats();
    assertEquals({ ...stats, ...this.#counters() }, stats);
    assert(stats.peakConnections <= LIMITS.maxConnections);
    assert(stats.due <= LIMITS.maxInFlight);
    for (const [text, holders] of this.#model.holders) assert(holders.size > 0, `${text} has no holder`);
  }

  /** The counters of the server that the models know. */
  #counters(): Partial<RelayServerStats> {
    const { accepted, refused, served } = this.door;
    const { originsOf, underWay, limitedBy } = this.#model;
    return {
      accepted,
      refused,
      connections: served.size,
      active: served.size,
      pending: originsOf.size,
      due: underWay,
      limitedBy,
    };
  }
}

Deno.test(
  "RelayServer enforces every limit in any order of events, and leaves nothing",
  pure,
  async () => {
    const told = new Set<string>();
    let paced = 0;
    const property = fc.asyncProperty(steps, async (steps) => {
      const trial = new Trial();
      for (const step of steps) await trial.run(step);
      await trial.end();
      for (const reason of trial.told) told.add(reason);
      paced += trial.door.paced;
    });
    await fc.assert(property, { seed: 1, numRuns: 100 });
    // The runs met each of the limits.
    assertEquals([...told].sort(), [
      "busy: 3 connections are open from this address",
      "busy: 5 connections are open",
      "too many messages in flight (limit 6)",
      "too many messages in flight on this connection (limit 3)",
    ]);
    assert(paced > 0);
  },
);
