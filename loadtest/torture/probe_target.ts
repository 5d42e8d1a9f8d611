/** Probes a target with an honest peer before the cases run. @module */
import type { Address } from "../../socket/network.ts";
import { TortureRig, type TortureRigOptions } from "./rig.ts";
import { HostilePeer } from "./hostile_peer.ts";

/** The result of a probe. */
export interface TargetProbe {
  /** Number of bytes that the server sends before any request. */
  readonly greeting: number;
  /** Time until the answer to the probe, in ms, or the reason why the target is unsuitable. */
  readonly answer: number | string;
}

// A greeting that takes longer counts as the answer to the first probe.
const GREETING_MS = 300;
const TLS_MS = 2000;

// A ClientHello with one unknown cipher suite, which a TLS server answers with an alert.
const STRANGE_HELLO = Uint8Array.of(
  ...[0x16, 3, 1, 0, 45], // handshake, 45 bytes
  ...[1, 0, 0, 41, 3, 3], // ClientHello, 41 bytes, TLS 1.2
  ...new Uint8Array(32),
  ...[0, 0, 2, 0xfe, 0xfe, 1, 0],
);
/** An alert (RFC 8446, 5.1) of any version from 3.0. */
const ALERT = "\x15\x03";

/** Checks that the target answers, and that it does not speak TLS unless the peer does. */
export async function probeTarget(options: TortureRigOptions): Promise<TargetProbe> {
  using rig = new TortureRig(options);
  let greeting = 0;
  try {
    const peer = await rig.connect();
    await peer.until(() => peer.bytes > 0, Math.min(GREETING_MS, rig.patience));
    greeting = peer.bytes;
    peer.close();
  } catch (error) {
    return { greeting, answer: error instanceof Error ? error.message : String(error) };
  }
  if (options.tls === undefined && await speaksTls(options.target)) {
    return { greeting, answer: "it speaks TLS, and a peer without TLS gets no answer" };
  }
  using honest = new TortureRig({ ...options, greeting });
  return { greeting, answer: await honest.probe() };
}

async function speaksTls(target: Address): Promise<boolean> {
  const peer = await HostilePeer.connect(target);
  await peer.write(STRANGE_HELLO, { within: TLS_MS });
  const isTls = await peer.until(() => peer.text.startsWith(ALERT), TLS_MS);
  peer.close();
  return isTls;
}
