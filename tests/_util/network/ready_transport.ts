/** A transport that reads and writes by calls. @module */
import { assertEquals } from "@std/assert";
import type { Receiver, Transport } from "../../../socket/network.ts";
import { text } from "./transport_pair.ts";

const decoder = new TextDecoder();

/** Takes `room` bytes by `writeNow`, and everything else by `write`. */
export class ReadyTransport implements Transport {
  readonly local = { hostname: "127.0.0.1", port: 1 };
  readonly remote = { hostname: "127.0.0.1", port: 2 };
  room = Infinity;
  broken: Error | undefined;
  readonly writes: string[] = [];
  /** Of each call of `writeNow`, whether a FIN was to follow. */
  readonly finsAnnounced: boolean[] = [];
  closed = false;
  receiver: Receiver | undefined;

  read(): Promise<number | null> {
    throw new TypeError("Cannot read: expected receive()");
  }

  receive(receiver: Receiver): void {
    assertEquals(this.receiver, undefined, "one read at a time");
    this.receiver = receiver;
  }

  writeNow(bytes: Uint8Array, length: number, finFollows = false): number {
    this.finsAnnounced.push(finFollows);
    if (this.broken !== undefined) throw this.broken;
    const count = Math.min(length, this.room);
    this.room -= count;
    if (count > 0) this.writes.push(decoder.decode(bytes.subarray(0, count)));
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.writes.push(`later ${decoder.decode(bytes)}`);
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }

  /** Delivers bytes, and then overwrites their memory as the next read of another connection does. */
  deliver(words: string | Uint8Array): void {
    const bytes = typeof words === "string" ? text(words) : words.slice();
    const receiver = this.receiver!;
    this.receiver = undefined;
    receiver.received(bytes);
    bytes.fill(0);
  }

  /** Delivers the peer's FIN. */
  deliverEnd(): void {
    const receiver = this.receiver!;
    this.receiver = undefined;
    receiver.receivedEnd();
  }
}
