/** A relay with a fault, for tests of the proof. @module */
import type { ServerState } from "../../../loadtest/history/events.ts";
import { type PlanOptions } from "../../../loadtest/plan/plan.ts";
import { Router, RouterPeer } from "../../../relay/router/router.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { FramingError, listen, type Listener } from "../../../socket/mod.ts";
import { type Run, simulate } from "./simulated_run.ts";
import { Simulation } from "./simulation.ts";
import type { Connection } from "../../../socket/connection.ts";

/** Returns the lines that a mutant sends in place of each line of its router. */
export type Mutation = (
  sent: { peer: Peer; line: string; peers: readonly Peer[] },
) => readonly [Peer, string][];

class Peer extends RouterPeer<Peer> {
  readonly connection: Connection;

  constructor(connection: Connection) {
    super();
    this.connection = connection;
  }
}

/** A relay of a test's own making, as far from right as `mutate` makes it. */
class MutantRelay {
  readonly listener: Listener;
  readonly #router: Router<Peer>;
  readonly #peers: Peer[] = [];
  /** Books of its own, which a leaky mutant forgets to clear once. */
  readonly #unsettled = new Set<string>();

  constructor(world: Simulation, { mutate, leak = false }: { mutate?: Mutation; leak?: boolean }) {
    let leaks = leak ? 1 : 0;
    this.#router = new Router<Peer>({ random: world.random, ackTimeout: 0, redeliver: true });
    const out = (peer: Peer, routed: Line) => {
      const line = routed.text();
      const sent: readonly [Peer, string][] = mutate?.({ peer, line, peers: this.#peers }) ?? [[peer, line]];
      for (const [to, text] of sent) to.connection.send(text);
    };
    this.listener = listen(world.seam);
    this.listener.serve(async (connection) => {
      const peer = new Peer(connection);
      this.#router.join(peer);
      this.#peers.push(peer);
      try {
        for await (const line of connection) {
          if (line.startsWith("message ")) this.#unsettled.add(line.slice(8));
          if (this.#router.line(peer, Line.of(line), 0, out).kind === "ok" && --leaks !== 0) {
            this.#unsettled.delete(line.slice(3));
          }
        }
      } catch (error) {
        if (!(error instanceof FramingError)) throw error;
      } finally {
        this.#peers.splice(this.#peers.indexOf(peer), 1);
        this.#router.leave(peer, 0, out);
      }
    });
  }

  state(): ServerState {
    const { connections, queuedBytes, closed } = this.listener.stats();
    const { stray, redelivered } = this.#router.stats();
    return {
      connections,
      pending: this.#unsettled.size,
      timers: 0,
      queuedBytes,
      descriptors: 0,
      closed,
      stray,
      redelivered,
    };
  }
}

/** Runs a load test against a mutant of the relay. */
export async function simulateMutant(
  mutant: { mutate?: Mutation; leak?: boolean },
  plan?: Partial<PlanOptions>,
): Promise<Run> {
  const world = new Simulation({ latency: 1 });
  const relay = new MutantRelay(world, mutant);
  const { addresses } = relay.listener;
  const result = await simulate(world, {
    targets: addresses,
    finalState: () => relay.state(),
    ...(plan ? { plan } : {}),
  });
  await world.clock.runUntil(relay.listener.close());
  return result;
}

/** Acts on the `nth` ok that the router sends, and lets all others pass. */
export function onOk(nth: number, act: Mutation): Mutation {
  let oks = 0;
  return (sent) => sent.line.startsWith("ok ") && ++oks === nth ? act(sent) : [[sent.peer, sent.line]];
}
