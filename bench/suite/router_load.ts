/** Simulates peers of a router without sockets: each sends a message again once it has its ok. @module */
import { Buffer } from "node:buffer";
import { Router } from "../../relay/router/router.ts";

interface Peer {
  slot: number;
  readonly name: string;
}

/** A router with a fixed number of messages in flight. */
export class RouterLoad {
  readonly #router: Router<Peer>;
  /** Lines sent and not handled yet, in a ring with one slot per message. */
  readonly #receivers: Peer[];
  readonly #lines: string[];
  #first = 0;
  #end = 0;
  #messages = 0;
  #now = 0;

  constructor(options: { peers: number; alive: number }) {
    const { alive } = options;
    // Seeded, so that two runs are equal.
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    this.#router = new Router<Peer>({ random, ackTimeout: 10_000, redeliver: true });
    const peers = Array.from({ length: options.peers }, (_, i): Peer => ({ slot: -1, name: `${i}` }));
    for (const peer of peers) this.#router.join(peer);
    this.#receivers = new Array<Peer>(alive);
    this.#lines = new Array<string>(alive);
    for (let i = 0; i < alive; i++) this.#send(peers[i % peers.length]!);
  }

  /** Messages without an ok; the oks of the others are in the ring. */
  get pending(): number {
    return this.#router.stats().pending;
  }

  /** Runs until `count` more oks have arrived. */
  exchange(count: number): void {
    for (let oks = 0; oks < count;) {
      const peer = this.#receivers[this.#first]!;
      const line = this.#lines[this.#first]!;
      this.#first = (this.#first + 1) % this.#lines.length;
      if (line.startsWith("message ")) {
        this.#router.line(peer, asRead(`ok ${line.slice(8)}`), this.#now, this.#out);
      } else {
        oks++;
        this.#now += 0.02;
        this.#send(peer);
      }
    }
  }

  #send(peer: Peer): void {
    this.#router.line(peer, asRead(`message ${peer.name}:${this.#messages++}`), this.#now, this.#out);
  }

  readonly #out = (peer: Peer, line: string): void => {
    this.#receivers[this.#end] = peer;
    this.#lines[this.#end] = line;
    this.#end = (this.#end + 1) % this.#lines.length;
  };
}

const encoder = new TextEncoder();
const bytes = Buffer.alloc(64);

/** Returns a fresh string, as if it had come from a socket. */
function asRead(line: string): string {
  return bytes.toString("latin1", 0, encoder.encodeInto(line, bytes).written);
}
