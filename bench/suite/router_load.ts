/** Simulates peers of a router without sockets: each sends a message again once it has its ok. @module */
import { Router, RouterPeer } from "../../relay/router/router.ts";
import { copyBytes, Line } from "../../socket/codecs/line.ts";

/** A peer with a name. */
export class Peer extends RouterPeer<Peer> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

const encoder = new TextEncoder();
const { bytes: OK } = Line.of("ok ");
const { bytes: MESSAGE } = Line.of("message ");
/** Memory of a line in the ring. */
const LINE = 64;

/** A router with a fixed number of messages in flight. */
export class RouterLoad {
  readonly #router: Router<Peer>;
  /** Lines sent and not handled yet, in a ring with one slot per message. */
  readonly #receivers: Peer[];
  readonly #lines: Line[];
  /** The line that the router gets, as if it had come from a socket. */
  readonly #read = new Line(new Uint8Array(LINE), 0, 0);
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
    const peers = Array.from({ length: options.peers }, (_, i) => new Peer(`${i}`));
    for (const peer of peers) this.#router.join(peer);
    this.#receivers = new Array<Peer>(alive);
    this.#lines = Array.from({ length: alive }, () => new Line(new Uint8Array(LINE)));
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
      if (line.startsWith(MESSAGE)) {
        const read = this.#read;
        read.bytes.set(OK);
        copyBytes(line.bytes, MESSAGE.length, line.end, read.bytes, OK.length);
        read.end = line.end - MESSAGE.length + OK.length;
        this.#router.line(peer, read, this.#now, this.#out);
      } else {
        oks++;
        this.#now += 0.02;
        this.#send(peer);
      }
    }
  }

  #send(peer: Peer): void {
    const read = this.#read;
    read.end = encoder.encodeInto(`message ${peer.name}:${this.#messages++}`, read.bytes).written;
    this.#router.line(peer, read, this.#now, this.#out);
  }

  readonly #out = (peer: Peer, { bytes, start, end }: Line): void => {
    this.#receivers[this.#end] = peer;
    const kept = this.#lines[this.#end]!;
    copyBytes(bytes, start, end, kept.bytes, 0);
    kept.end = end - start;
    this.#end = (this.#end + 1) % this.#lines.length;
  };
}
