import { assertEquals } from "@std/assert";
import { errnoOf } from "../../native/errno.ts";
import { Libc } from "../../native/libc.ts";
import { type BatchedSender, SendBatch } from "../../native/send_batch.ts";
import type { NativeTransport } from "../../native/transport.ts";
import { foreign, network as maybeNetwork, ring } from "../_util/native/native.ts";
import { fill, readText, readToEnd, text, transportPair } from "../_util/network/transport_pair.ts";

const network = maybeNetwork!;
const AGAIN = -errnoOf("EAGAIN");
const PIPE = -errnoOf("EPIPE");

/** Notes what is reported. */
class Sender implements BatchedSender {
  readonly reports: [result: number, rest: string][] = [];
  mistake: Error | undefined;

  handleSent(result: number, rest: Uint8Array): void {
    this.reports.push([result, rest.length > 100 ? `${rest.length} bytes` : new TextDecoder().decode(rest)]);
    if (this.mistake !== undefined) throw this.mistake;
  }
}

function open() {
  const libc = Libc.open();
  const batch = new SendBatch(libc);
  return {
    libc,
    batch,
    [Symbol.dispose]() {
      batch.close();
      libc.unload();
    },
  };
}

const descriptorOf = (transport: unknown): number => (transport as NativeTransport).descriptor;

Deno.test(
  "SendBatch.submit() sends what was added, and reports what each socket has taken",
  ring,
  async () => {
    using opened = open();
    using one = await transportPair(network);
    using full = await transportPair(network);
    using ended = await transportPair(network);
    const { batch } = opened;
    fill(full.near);
    await ended.near.closeWrite();
    const bytes = text("hello world");
    const senders = Array.from({ length: 4 }, () => new Sender());
    assertEquals(batch.add(descriptorOf(one.near), bytes, 5, false, senders[0]!), 0);
    assertEquals(batch.add(descriptorOf(full.near), bytes, 11, false, senders[1]!), 1);
    assertEquals(batch.add(descriptorOf(ended.near), bytes, 4, false, senders[2]!), 2);
    assertEquals(batch.add(descriptorOf(one.near), bytes, 11, false, senders[3]!), 3);
    batch.cancel(3);
    bytes.fill(0);
    assertEquals(senders.map(({ reports }) => reports), [[], [], [], []]);
    batch.submit();
    assertEquals(senders.map(({ reports }) => reports), [
      [[5, ""]],
      [[AGAIN, "hello world"]],
      [[PIPE, "hell"]],
      [],
    ]);
    await one.near.closeWrite();
    assertEquals([await readText(one.far), await readText(one.far)], ["hello", null]);
    // The next batch begins anew.
    using other = await transportPair(network);
    assertEquals(batch.add(descriptorOf(other.near), text("again"), 5, false, senders[0]!), 0);
    batch.submit();
    assertEquals(senders[0]!.reports, [[5, ""], [5, ""]]);
    assertEquals(await readText(other.far), "again");
  },
);

Deno.test("SendBatch.submit() makes the sends after a canceled one, too", ring, async () => {
  using opened = open();
  using one = await transportPair(network);
  using two = await transportPair(network);
  const { batch } = opened;
  const senders = Array.from({ length: 3 }, () => new Sender());
  batch.cancel(batch.add(descriptorOf(one.near), text("canceled"), 8, false, senders[0]!));
  batch.add(descriptorOf(two.near), text("sent"), 4, false, senders[1]!);
  batch.cancel(batch.add(descriptorOf(one.near), text("canceled"), 8, true, senders[0]!));
  batch.add(descriptorOf(one.near), text("sent, too"), 9, false, senders[2]!);
  batch.submit();
  assertEquals(senders.map(({ reports }) => reports), [[], [[4, ""]], [[9, ""]]]);
  assertEquals([await readText(one.far), await readText(two.far)], ["sent, too", "sent"]);
});

Deno.test("SendBatch.submit() reports the rest where a socket takes a part", ring, async () => {
  using opened = open();
  using pair = await transportPair(network);
  const piece = new Uint8Array(16 * 1024);
  const sender = new Sender();
  let sent = 0;
  for (let full = false; !full;) {
    assertEquals(opened.batch.add(descriptorOf(pair.near), piece, piece.length, false, sender), 0);
    opened.batch.submit();
    const [result, rest] = sender.reports.at(-1)!;
    full = result !== piece.length;
    sent += Math.max(result, 0);
    if (full) assertEquals(rest, `${piece.length - Math.max(result, 0)} bytes`);
  }
  await Promise.all([
    readToEnd(pair.far).then((count) => assertEquals(count, sent)),
    pair.near.closeWrite(),
  ]);
});

Deno.test(
  "SendBatch.submit() reports that nothing was taken where the kernel does not begin",
  ring,
  async () => {
    class Exhausted extends Libc {
      exhausted = false;

      override ioUringEnter(ring: number, submit: number, complete: number): number {
        return this.exhausted ? -errnoOf("ENOMEM") : super.ioUringEnter(ring, submit, complete);
      }
    }
    using pair = await transportPair(network);
    const libc = Exhausted.open() as Exhausted;
    const batch = new SendBatch(libc);
    const sender = new Sender();
    for (const exhausted of [false, true, false]) {
      libc.exhausted = exhausted;
      assertEquals(batch.add(descriptorOf(pair.near), text("hello"), 5, false, sender), 0);
      batch.submit();
    }
    batch.close();
    libc.unload();
    assertEquals(sender.reports, [[5, ""], [AGAIN, "hello"], [5, ""]]);
    assertEquals(await readText(pair.far), "hello".repeat(2));
  },
);

Deno.test("SendBatch.submit() reports to the other senders when one throws", ring, async () => {
  using opened = open();
  using pair = await transportPair(network);
  const reported: unknown[] = [];
  const report = (event: ErrorEvent): void => {
    event.preventDefault();
    reported.push(event.error);
  };
  addEventListener("error", report);
  const senders = [new Sender(), new Sender()];
  senders[0]!.mistake = new TypeError("sender");
  for (const sender of senders) opened.batch.add(descriptorOf(pair.near), text("x"), 1, false, sender);
  opened.batch.submit();
  removeEventListener("error", report);
  assertEquals([senders[1]!.reports, reported], [[[1, ""]], [senders[0]!.mistake]]);
});

Deno.test("SendBatch.add() refuses what is long, and more than there is room for", ring, async () => {
  using opened = open();
  using pair = await transportPair(network);
  const { batch } = opened;
  const sender = new Sender();
  const add = (length: number): number =>
    batch.add(descriptorOf(pair.near), new Uint8Array(length), length, false, sender);
  assertEquals(add(16 * 1024 + 1), -1);
  for (let index = 0; index < 16; index++) assertEquals(add(16 * 1024), index);
  assertEquals(add(1), -1, "256 KiB are full");
  for (let index = 0; index < 16; index++) batch.cancel(index);
  batch.submit();
  for (let index = 0; index < 1024; index++) assertEquals(add(1), index);
  assertEquals(add(1), -1, "1024 sends are all");
  batch.submit();
  assertEquals(sender.reports.length, 1024);
});

Deno.test("SendBatch.add() refuses everything where there is no io_uring", foreign, () => {
  class Without extends Libc {
    override ioUringSetup(): number {
      return -errnoOf("EPERM");
    }
  }
  const libc = Without.open();
  const batch = new SendBatch(libc);
  assertEquals(batch.add(1, text("x"), 1, false, new Sender()), -1);
  assertEquals(batch.add(1, text("x"), 1, false, new Sender()), -1);
  batch.submit();
  batch.close();
  libc.unload();
});
