/** One peer that sends more than its share. @module */
import type { HostilePeer } from "./hostile_peer.ts";
import { describePeer, type Observation, type TortureCase, type TortureRig } from "./rig.ts";

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;
/** What both ends' kernels hold for a peer that does not read is less; more than this, the server itself has held. */
const MOST_IN_SOCKETS = 64 * MIB;

/** Between two looks whether others are served. */
const PROBE_PAUSE_MS = 50;

/** Sends `volume` bytes in lines, and looks meanwhile whether others are served; gives how many were taken, and the longest wait. */
async function send(
  bench: TortureRig,
  peer: HostilePeer,
  { line, volume }: { line: string; volume: number },
): Promise<{ sent: number; answer: number | string }> {
  const chunk = line.repeat(Math.ceil(CHUNK / line.length));
  let sent = 0;
  let isOver = false;
  const sending = (async () => {
    while (sent < volume && peer.end === undefined) {
      if (!await peer.write(chunk, { within: bench.patience })) break;
      sent += chunk.length;
    }
    isOver = true;
  })();
  let answer: number | string = 0;
  while (!isOver && typeof answer === "number") {
    answer = worse(answer, await bench.probe());
    await bench.pause(PROBE_PAUSE_MS);
  }
  await sending;
  // Once more: whoever sent is still there, and what it sent may be under way.
  return { sent, answer: typeof answer === "string" ? answer : worse(answer, await bench.probe()) };
}

function worse(one: number, other: number | string): number | string {
  return typeof other === "string" ? other : Math.max(one, other);
}

function seen(saw: string, answer: number | string, fault: string | undefined): Observation {
  if (typeof answer === "string") return { saw, fault: `others are not served meanwhile: ${answer}` };
  const all = `${saw}; others waited ${answer.toFixed(0)} ms at most`;
  return fault === undefined ? { saw: all } : { saw: all, fault };
}

async function tinyLines(bench: TortureRig): Promise<Observation> {
  const peer = await bench.connect();
  const volume = 2 * bench.scaled(1_000_000);
  const { sent, answer } = await send(bench, peer, { line: "x\n", volume });
  peer.finish();
  // Whoever answers needs its time, and whoever ends such a peer has ended it; but it is not to be forgotten.
  for (let last = -1; peer.end === undefined && last < peer.bytes;) {
    last = peer.bytes;
    await peer.until(() => peer.bytes > last, bench.patience);
  }
  const stuck = peer.end === undefined;
  const saw = `${sent / 2} lines sent, ${describePeer(peer)}`.slice(0, 120);
  peer.close();
  return seen(
    saw,
    answer,
    stuck ? `neither answers all lines nor ends, within ${bench.patience} ms of the last answer` : undefined,
  );
}

/** Reads until nothing comes for a while, for `ms` at most; a server that talks on for ever holds nothing. */
async function untilQuiet(peer: HostilePeer, ms: number): Promise<boolean> {
  const giveUpAt = performance.now() + ms;
  for (let last = -1; peer.end === undefined && last < peer.bytes;) {
    if (performance.now() >= giveUpAt) return false;
    last = peer.bytes;
    await peer.until(() => false, 200);
  }
  return true;
}

async function neverReads(bench: TortureRig): Promise<Observation> {
  const peer = await bench.connect();
  peer.pause();
  // A peer that reads nothing may wait for ever for the server to read on: that is a good end as well.
  const volume = bench.scaled(2 * MOST_IN_SOCKETS);
  const { sent, answer } = await send(bench, peer, { line: `${"x".repeat(63)}\n`, volume });
  const unread = peer.bytes;
  peer.resume(); // Only who reads hears of the end.
  const isQuiet = await untilQuiet(peer, bench.patience);
  const held = peer.bytes - unread;
  const saw = `${(sent / MIB).toFixed(0)} MiB asked, ${describePeer(peer)}`.slice(0, 120);
  peer.close();
  // By TLS it is this side's library that holds them: it reads on though nobody asks for more.
  const holds = isQuiet && !bench.isTls && held > MOST_IN_SOCKETS;
  return seen(
    saw,
    answer,
    holds ? `held ${Math.round(held / MIB)} MiB of answers for a peer that read none` : undefined,
  );
}

/** Floods. */
export const floodCases: readonly TortureCase[] = [
  { name: "tiny lines in a row", run: tinyLines },
  { name: "asks and never reads", run: neverReads },
];
