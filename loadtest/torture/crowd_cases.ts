/** Many peers that each cost little and give nothing. @module */
import type { Bench, Observation, TortureCase } from "./bench.ts";
import type { HostilePeer } from "./hostile_peer.ts";

/** The first 11 bytes of a TLS ClientHello that says it is 512 bytes long. */
const HALF_HELLO = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);

/** Opens peers, and does not mind those that are refused. */
async function open(bench: Bench, count: number): Promise<{ peers: HostilePeer[]; refused: number }> {
  const peers: HostilePeer[] = [];
  let refused = 0;
  await bench.crowd(count, async () => {
    try {
      peers.push(await bench.connect());
    } catch {
      refused++;
    }
  });
  return { peers, refused };
}

/** Whether the server serves others while `peers` are there; then they go. */
async function whileOpen(bench: Bench, peers: readonly HostilePeer[], saw: string): Promise<Observation> {
  const answer = await bench.probe();
  for (const peer of peers) peer.close();
  if (typeof answer === "number") return { saw: `${saw}; others answered in ${answer.toFixed(0)} ms` };
  return { saw, fault: `others are not served meanwhile: ${answer}` };
}

async function silent(bench: Bench): Promise<Observation> {
  const { peers, refused } = await open(bench, bench.scaled(10_000));
  return await whileOpen(
    bench,
    peers,
    `${peers.length} open and silent${refused > 0 ? `, ${refused} refused` : ""}`,
  );
}

async function drip(bench: Bench): Promise<Observation> {
  const { peers } = await open(bench, bench.scaled(500));
  const seconds = Math.min(5, bench.scaled(5));
  for (let i = 0; i < seconds; i++) {
    await Promise.all(peers.map((peer) => peer.write("x")));
    await bench.pause(1000);
  }
  return await whileOpen(bench, peers, `${peers.length} send a byte a second, ${seconds} s long`);
}

async function halfHandshake(bench: Bench): Promise<Observation> {
  const { peers } = await open(bench, bench.scaled(500));
  await Promise.all(peers.map((peer) => peer.write(HALF_HELLO)));
  return await whileOpen(bench, peers, `${peers.length} stop in their TLS handshake`);
}

async function resetStorm(bench: Bench): Promise<Observation> {
  const count = bench.scaled(20_000);
  let refused = 0;
  await bench.crowd(count, async (index) => {
    try {
      const peer = await bench.connect();
      if (index % 2 === 0) await peer.write("torture and gone\ntorture in mid-l");
      peer.reset();
    } catch {
      refused++;
    }
  });
  return { saw: `${count} connect and reset${refused > 0 ? `, ${refused} refused` : ""}` };
}

async function churn(bench: Bench): Promise<Observation> {
  const count = bench.scaled(10_000);
  let refused = 0;
  await bench.crowd(count, async () => {
    try {
      const peer = await bench.connect();
      peer.finish();
      await peer.until(() => peer.end !== undefined, bench.patience);
      peer.close();
    } catch {
      refused++;
    }
  });
  return { saw: `${count} connect and finish${refused > 0 ? `, ${refused} refused` : ""}` };
}

/** Crowds. */
export const crowdCases: readonly TortureCase[] = [
  { name: "silent connections", run: silent },
  { name: "a byte a second", run: drip },
  { name: "half a TLS handshake", run: halfHandshake },
  { name: "connect and reset", run: resetStorm },
  { name: "connect and finish", run: churn },
];
