/** Cases with one peer that sends more than its share. @module */
import type { HostilePeer } from "./hostile_peer.ts";
import { describePeer, type Observation, type TortureCase, type TortureRig } from "./rig.ts";

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;
/** More than the kernels at both ends buffer for a peer that does not read. The server itself buffers the rest. */
const MOST_IN_SOCKETS = 64 * MIB;

/** Time between two probes, in ms. */
const PROBE_PAUSE_MS = 50;

/** Sends `volume` bytes of lines while probing the server. Returns the number of bytes sent and the longest wait. */
async function send(
  rig: TortureRig,
  peer: HostilePeer,
  { line, volume }: { line: string; volume: number },
): Promise<{ sent: number; answer: number | string }> {
  const chunk = line.repeat(Math.ceil(CHUNK / line.length));
  let sent = 0;
  let isOver = false;
  const sending = (async () => {
    while (sent < volume && peer.end === undefined) {
      if (!await peer.write(chunk, { within: rig.patience })) break;
      sent += chunk.length;
    }
    isOver = true;
  })();
  let answer: number | string = 0;
  while (!isOver && typeof answer === "number") {
    answer = worse(answer, await rig.probe());
    await rig.pause(PROBE_PAUSE_MS);
  }
  await sending;
  // Probed once more, because the peer is still connected, and the server may still be processing what it sent.
  return { sent, answer: typeof answer === "string" ? answer : worse(answer, await rig.probe()) };
}

function worse(one: number, other: number | string): number | string {
  return typeof other === "string" ? other : Math.max(one, other);
}

function seen(saw: string, answer: number | string, fault: string | undefined): Observation {
  if (typeof answer === "string") return { saw, fault: `others are not served: ${answer}` };
  const all = `${saw}; others waited ${answer.toFixed(0)} ms at most`;
  return fault === undefined ? { saw: all } : { saw: all, fault };
}

async function tinyLines(rig: TortureRig): Promise<Observation> {
  const peer = await rig.connect();
  const volume = 2 * rig.scaled(1_000_000);
  const { sent, answer } = await send(rig, peer, { line: "x\n", volume });
  peer.finish();
  // The server may need time to answer, or close such a peer, but must not forget it.
  for (let last = -1; peer.end === undefined && last < peer.bytes;) {
    last = peer.bytes;
    await peer.until(() => peer.bytes > last, rig.patience);
  }
  const stuck = peer.end === undefined;
  const saw = `${sent / 2} lines sent, ${describePeer(peer)}`.slice(0, 120);
  peer.close();
  return seen(
    saw,
    answer,
    stuck ? `neither answers all lines nor ends, within ${rig.patience} ms of the last answer` : undefined,
  );
}

/** Reads until nothing arrives for a while, for at most `ms`. A server that keeps sending buffers nothing. */
async function untilQuiet(peer: HostilePeer, ms: number): Promise<boolean> {
  const giveUpAt = performance.now() + ms;
  for (let last = -1; peer.end === undefined && last < peer.bytes;) {
    if (performance.now() >= giveUpAt) return false;
    last = peer.bytes;
    await peer.until(() => false, 200);
  }
  return true;
}

async function neverReads(rig: TortureRig): Promise<Observation> {
  const peer = await rig.connect();
  peer.pause();
  // A peer that does not read may wait forever for the server to read on, which is a good result as well.
  const volume = rig.scaled(2 * MOST_IN_SOCKETS);
  const { sent, answer } = await send(rig, peer, { line: `${"x".repeat(63)}\n`, volume });
  const unread = peer.bytes;
  peer.resume(); // The end is visible only to a reader.
  const isQuiet = await untilQuiet(peer, rig.patience);
  const held = peer.bytes - unread;
  const saw = `${(sent / MIB).toFixed(0)} MiB sent, ${describePeer(peer)}`.slice(0, 120);
  peer.close();
  // Over TLS, the library of this side buffers the answers, because it reads ahead.
  const holds = isQuiet && !rig.isTls && held > MOST_IN_SOCKETS;
  return seen(
    saw,
    answer,
    holds ? `buffers ${Math.round(held / MIB)} MiB of answers for a peer that does not read` : undefined,
  );
}

/** The flood cases. */
export const floodCases: readonly TortureCase[] = [
  { name: "tiny lines", run: tinyLines },
  { name: "sends and never reads", run: neverReads },
];
