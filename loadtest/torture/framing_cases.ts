/** Cases with hostile bytes of a single peer. @module */
import type { Random } from "../../internal/clock.ts";
import { describePeer, type Observation, type TortureCase, type TortureRig } from "./rig.ts";

const encoder = new TextEncoder();
const MIB = 1024 * 1024;
const SCRIPT = encoder.encode("torture one\r\ntorture två €😀\n\ntorture three\r\n");

/** The answer of a server. */
interface ServerReply {
  readonly text: string;
  readonly bytes: number;
  /** Whether the server has closed the connection. */
  readonly ended: boolean;
}

/** Sends bytes in the given pieces, and returns the answer: up to its end, or until that many bytes have arrived. */
async function answerTo(
  rig: TortureRig,
  pieces: readonly Uint8Array[],
  bytes = Infinity,
): Promise<ServerReply> {
  const peer = await rig.connect();
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await rig.pause(2); // Lets the server read the pieces one by one.
    await peer.write(piece, { within: rig.patience });
  }
  peer.finish();
  await peer.until(() => peer.end !== undefined || peer.bytes >= bytes, rig.patience);
  peer.close();
  return { text: peer.text, bytes: peer.bytes, ended: peer.end !== undefined };
}

/** Returns the answer to some bytes that is the same for each attempt, or the reason why there is none. */
async function answerToAll(
  rig: TortureRig,
  bytes: Uint8Array,
): Promise<ServerReply | { unjudged: string }> {
  const first = await answerTo(rig, [bytes]);
  if (first.bytes <= rig.greeting) return { unjudged: "it sends no answer to compare" };
  const again = await answerTo(rig, [bytes], first.ended ? undefined : first.bytes);
  if (again.text !== first.text) return { unjudged: "it answers the same bytes differently each time" };
  return first;
}

/** Blames the server for a different answer only if it still gives the original answer to `whole`. */
async function blame(
  rig: TortureRig,
  { bytes, whole, fault }: { bytes: Uint8Array; whole: ServerReply; fault: string },
): Promise<Pick<Observation, "fault" | "unjudged">> {
  const now = await answerToAll(rig, bytes);
  if ("unjudged" in now) return now;
  return now.text === whole.text
    ? { fault }
    : { unjudged: "it answers the same bytes differently after a while" };
}

/** Describes what happens to a peer that sends `bytes`. */
async function fateOf(
  rig: TortureRig,
  bytes: Uint8Array,
  ms: number,
): Promise<Observation & { ended: boolean }> {
  const peer = await rig.connect();
  await peer.write(bytes, { within: rig.patience });
  const ended = await peer.until(() => peer.end !== undefined, ms);
  const saw = describePeer(peer);
  peer.close();
  return { saw, ended };
}

function lineOf(size: number, end: string): Uint8Array {
  return encoder.encode("x".repeat(size) + end);
}

async function everySplit(rig: TortureRig): Promise<Observation> {
  const whole = await answerToAll(rig, SCRIPT);
  const saw = `${SCRIPT.length - 1} split points, and byte by byte`;
  if ("unjudged" in whole) return { saw, ...whole };
  const expected = whole.ended ? undefined : whole.bytes;
  const different: number[] = [];
  for (let at = 1; at < SCRIPT.length; at++) {
    const { text } = await answerTo(rig, [SCRIPT.subarray(0, at), SCRIPT.subarray(at)], expected);
    if (text !== whole.text) different.push(at);
  }
  const bytewise = await answerTo(rig, [...SCRIPT].map((byte) => Uint8Array.of(byte)), expected);
  if (different.length === 0 && bytewise.text === whole.text) return { saw };
  const where = different.length > 0
    ? `cut after byte ${different.slice(0, 5).join(", ")}`
    : "sent byte by byte";
  const fault = `answers differently when ${where}`;
  return { saw, ...await blame(rig, { bytes: SCRIPT, whole, fault }) };
}

async function lineLimit(rig: TortureRig): Promise<Observation> {
  const { maxLine } = rig;
  const faults: string[] = [];
  // The last line has no end, because a server that waits for it would wait, and buffer, forever.
  const tries: [name: string, bytes: Uint8Array, over: boolean][] = [
    [`${maxLine - 1} bytes`, lineOf(maxLine - 1, "\n"), false],
    [`${maxLine} bytes`, lineOf(maxLine, "\n"), false],
    [`${maxLine} bytes and CRLF`, lineOf(maxLine, "\r\n"), false],
    [`${maxLine + 1} bytes`, lineOf(maxLine + 1, "\n"), true],
    [`${maxLine + 2} bytes without an end`, lineOf(maxLine + 2, ""), true],
  ];
  for (const [name, bytes, over] of tries) {
    const { ended, saw } = await fateOf(rig, bytes, over ? rig.patience : 300);
    if (ended && !over) faults.push(`a line of ${name}, which is within the limit, is ${saw}`);
    if (!ended && over) faults.push(`a line of ${name} is not refused`);
  }
  const saw = `limit ${maxLine}: one less, exact, one more`;
  if (faults.length === 0) return { saw };
  // The hint comes first, because a table shows only the beginning.
  const hint = `does not have the limit of ${maxLine} bytes (--max-line sets another)`;
  return { saw, fault: `${hint}: ${faults.join("; ")}` };
}

async function noLineEnd(rig: TortureRig): Promise<Observation> {
  // A server may take a whole line before it refuses one that is longer.
  const volume = Math.max(rig.scaled(1024 * MIB), 2 * rig.maxLine);
  const peer = await rig.connect();
  const chunk = new Uint8Array(64 * 1024).fill(0x78);
  let sent = 0;
  let isRead = true;
  while (sent < volume && peer.end === undefined && isRead) {
    isRead = await peer.write(chunk, { within: rig.patience });
    if (isRead) sent += chunk.length;
  }
  await peer.until(() => peer.end !== undefined, 1000);
  const stops = isRead || peer.end !== undefined ? "" : "then the server reads no more, ";
  const saw = `${Math.ceil(sent / 1024)} KiB sent, ${stops}${describePeer(peer)}`;
  const took = sent >= volume && peer.end === undefined;
  peer.close();
  if (!took) return { saw };
  const fault = `accepted ${Math.round(volume / MIB)} MiB without a line end (--max-line sets its limit)`;
  return { saw, fault };
}

async function carriageReturns(rig: TortureRig): Promise<Observation> {
  const texts = ["torture\r", "\ntorture\r", "\r\n\r", "\ntor\rture\n"];
  const saw = "CR and LF in different packets, CR in a line";
  const bytes = encoder.encode(texts.join(""));
  const whole = await answerToAll(rig, bytes);
  if ("unjudged" in whole) return { saw, ...whole };
  const pieces = texts.map((text) => encoder.encode(text));
  const split = await answerTo(rig, pieces, whole.ended ? undefined : whole.bytes);
  if (split.text === whole.text) return { saw };
  const fault = "answers differently when CR and LF arrive separately";
  return { saw, ...await blame(rig, { bytes, whole, fault }) };
}

async function brokenText(rig: TortureRig): Promise<Observation> {
  const bad = [
    [0xff, 0xfe],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
    [0x00],
    [0x1b, 0x5b, 0x32, 0x4a],
  ];
  const seen = new Set<string>();
  for (const bytes of bad) seen.add((await fateOf(rig, Uint8Array.from([...bytes, 0x0a]), 200)).saw);
  return { saw: [...seen].join("; ").slice(0, 120) };
}

function garbage(random: Random): (rig: TortureRig) => Promise<Observation> {
  return async (rig) => {
    const count = rig.scaled(200);
    await rig.crowd(count, async () => {
      const size = 1 + Math.floor(random() * 8192);
      const peer = await rig.connect();
      await peer.write(Uint8Array.from({ length: size }, () => Math.floor(random() * 256)), {
        within: rig.patience,
      });
      await peer.until(() => peer.end !== undefined, 100);
      peer.close();
    });
    return { saw: `${count} peers, random bytes` };
  };
}

async function endInLine(rig: TortureRig): Promise<Observation> {
  const count = rig.scaled(100);
  let ended = 0;
  let saw = "";
  await rig.crowd(count, async () => {
    const peer = await rig.connect();
    await peer.write("torture in mid-l");
    peer.finish();
    if (await peer.until(() => peer.end !== undefined, rig.patience)) ended++;
    saw = describePeer(peer);
    peer.close();
  });
  const left = count - ended;
  return left === 0
    ? { saw }
    : { saw, fault: `${left} of ${count} are kept open although they have finished` };
}

/** The framing cases, with one peer at a time. */
export function framingCases(random: Random): TortureCase[] {
  return [
    { name: "split at every byte", run: everySplit },
    { name: "line limit", run: lineLimit },
    { name: "no line end", run: noLineEnd },
    { name: "CR at the boundary", run: carriageReturns },
    { name: "invalid UTF-8, NUL, escape sequences", run: brokenText },
    { name: "random bytes", run: garbage(random) },
    { name: "FIN inside a line", run: endInLine },
  ];
}
