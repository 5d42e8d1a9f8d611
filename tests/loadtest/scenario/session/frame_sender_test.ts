import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type FrameSender,
  sendFrame,
  sendFrames,
} from "../../../../loadtest/scenario/session/frame_sender.ts";
import { pure } from "../../../_util/permissions.ts";

const MIB = 1024 * 1024;

/** A connection whose peer reads nothing. */
class Stalled implements FrameSender<number> {
  readonly sent: number[] = [];

  send(bytes: number): boolean {
    this.sent.push(bytes);
    return false;
  }

  get queuedBytes(): number {
    return this.sent.reduce((sum, bytes) => sum + bytes, 0);
  }

  flushed(): Promise<void> {
    return new Promise(() => {});
  }
}

Deno.test("sendFrame() throws when over 16 MiB wait to be written, and does not send the frame", pure, () => {
  const connection = new Stalled();
  for (const bytes of [16 * MIB, 1]) sendFrame(connection, bytes);
  assertThrows(() => sendFrame(connection, 1), RangeError, "16777217 bytes wait to be written");
  assertEquals(connection.sent, [16 * MIB, 1]);
});

Deno.test("sendFrames() returns how many frames were sent, and the error of the next one", pure, () => {
  const connection = new Stalled();
  assertEquals(sendFrames(connection, [1, 2]), { sent: 2 });
  const { sent, error } = sendFrames(connection, [16 * MIB, 3, 4]);
  assertEquals(sent, 1);
  assert(error instanceof RangeError);
  assertEquals(connection.sent, [1, 2, 16 * MIB]);
});
