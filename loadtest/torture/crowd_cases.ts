/** Cases with many peers that each cost little and send nothing useful. @module */
import type { Observation, TortureCase, TortureRig } from "./rig.ts";
import type { HostilePeer } from "./hostile_peer.ts";

/** The first 11 bytes of a TLS ClientHello that announces 512 bytes. */
const HALF_HELLO = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);

/** Stops counting at this many peers that are kept open. */
const MOST_KEPT = 200;

/** Counts peers that could not connect, by reason, because a server may refuse some. */
class Refusals {
  readonly #counts = new Map<string, number>();

  /** Runs a function that needs a connection. */
  async guard(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#counts.set(why, (this.#counts.get(why) ?? 0) + 1);
    }
  }

  /** Returns text such as `", 3 times: Cannot connect: refused"`, or an empty string. */
  toString(): string {
    return [...this.#counts].map(([why, count]) => `, ${count} times: ${why}`).join("");
  }
}

/** Opens peers, and ignores those that are refused. */
async function open(
  rig: TortureRig,
  count: number,
  connect: () => Promise<HostilePeer> = () => rig.connect(),
): Promise<{ peers: HostilePeer[]; refusals: Refusals }> {
  const peers: HostilePeer[] = [];
  const refusals = new Refusals();
  await rig.crowd(count, () => refusals.guard(async () => void peers.push(await connect())));
  return { peers, refusals };
}

/** Checks that the server serves others while `peers` are connected, then disconnects them. */
async function whileOpen(
  rig: TortureRig,
  peers: readonly HostilePeer[],
  saw: string,
): Promise<Observation> {
  const answer = await rig.probe();
  const left = peers.filter((peer) => peer.end === undefined).length;
  const ended = left === peers.length ? "" : `, ${peers.length - left} of them closed by the server`;
  for (const peer of peers) peer.close();
  if (typeof answer === "number") {
    return { saw: `${saw}${ended}; others answered in ${answer.toFixed(0)} ms` };
  }
  return { saw: `${saw}${ended}`, fault: `others are not served: ${answer}` };
}

async function silent(rig: TortureRig): Promise<Observation> {
  const { peers, refusals } = await open(rig, rig.scaled(10_000));
  return await whileOpen(rig, peers, `${peers.length} connected and silent${refusals}`);
}

async function drip(rig: TortureRig): Promise<Observation> {
  const { peers, refusals } = await open(rig, rig.scaled(500));
  const seconds = Math.min(5, rig.scaled(5));
  for (let i = 0; i < seconds; i++) {
    await Promise.all(peers.map((peer) => peer.write("x", { within: rig.patience })));
    await rig.pause(1000);
  }
  return await whileOpen(
    rig,
    peers,
    `${peers.length} send a byte per second, ${seconds} s long${refusals}`,
  );
}

async function halfHandshake(rig: TortureRig): Promise<Observation> {
  const { peers, refusals } = await open(rig, rig.scaled(500), () => rig.connectPlain());
  await Promise.all(peers.map((peer) => peer.write(HALF_HELLO)));
  return await whileOpen(rig, peers, `${peers.length} stop in their TLS handshake${refusals}`);
}

async function resetStorm(rig: TortureRig): Promise<Observation> {
  const count = rig.scaled(20_000);
  const refusals = new Refusals();
  await rig.crowd(count, (index) =>
    refusals.guard(async () => {
      const peer = await rig.connect();
      if (index % 2 === 0) {
        await peer.write("torture and gone\ntorture in mid-line", { within: rig.patience });
      }
      peer.reset();
    }));
  return { saw: `${count} connect and reset${refusals}` };
}

async function churn(rig: TortureRig): Promise<Observation> {
  const count = rig.scaled(10_000);
  const refusals = new Refusals();
  let kept = 0;
  await rig.crowd(count, () =>
    refusals.guard(async () => {
      if (kept > MOST_KEPT) return; // Each of them takes the longest time for an answer.
      const peer = await rig.connect();
      peer.finish();
      if (!await peer.until(() => peer.end !== undefined, rig.patience)) kept++;
      peer.close();
    }));
  const saw = `${count} connect and finish${refusals}`;
  return kept === 0 ? { saw } : { saw, fault: `${kept} are kept open although they have finished` };
}

/** The crowd cases. */
export const crowdCases: readonly TortureCase[] = [
  { name: "silent connections", run: silent },
  { name: "a byte per second", run: drip },
  { name: "half a TLS handshake", run: halfHandshake },
  { name: "connect and reset", run: resetStorm },
  { name: "connect and finish", run: churn },
];
