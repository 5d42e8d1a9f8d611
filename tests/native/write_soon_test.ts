/** Writes of a turn of the event loop that are made together. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Transport, WriteReceiver } from "../../socket/network.ts";
import { inBusyTurn } from "../_util/native/busy_turn.ts";
import { foreign, network as maybeNetwork, ring } from "../_util/native/native.ts";
import { fill, readText, readToEnd, text, transportPair } from "../_util/network/transport_pair.ts";
import { until } from "../_util/until.ts";

const network = maybeNetwork!;

/** Notes what a transport reports. */
class Outcome implements WriteReceiver {
  readonly reports: unknown[] = [];

  written(count: number, rest: Uint8Array): void {
    this.reports.push([count, rest.length]);
  }

  writeFailed(cause: unknown): void {
    this.reports.push(cause);
  }
}

function writeSoon(transport: Transport, words: string, outcome: Outcome, finFollows = false): boolean {
  return transport.writeSoon!(text(words), text(words).length, outcome, finFollows);
}

Deno.test(
  "NativeTransport.writeSoon() leaves writes to the caller while little happens",
  foreign,
  async () => {
    using pair = await transportPair(network);
    assertEquals(writeSoon(pair.near, "x", new Outcome()), false);
    assertEquals(pair.near.writeNow!(text("x"), 1), 1);
    // Also between two turns, when nothing would write it.
    await inBusyTurn(network, () => {});
    assertEquals(writeSoon(pair.near, "x", new Outcome()), false);
    pair.near.close();
    assertThrows(() => writeSoon(pair.near, "x", new Outcome()), Deno.errors.BadResource);
  },
);

Deno.test("NativeTransport.writeSoon() writes at the end of a busy turn", ring, async () => {
  using pair = await transportPair(network);
  const { near } = pair;
  const outcome = new Outcome();
  await inBusyTurn(network, () => {
    assertEquals(writeSoon(near, "hello", outcome), true);
    assertEquals(outcome.reports, []);
    // One write at a time.
    assertThrows(() => writeSoon(near, "x", outcome), TypeError, "twice");
    assertThrows(() => near.writeNow!(text("x"), 1), TypeError, "twice");
  });
  await until(() => outcome.reports.length > 0);
  assertEquals(outcome.reports, [[5, 0]]);
  assertEquals(near.writeNow!(text("!"), 1), 1);
  near.close();
  assertEquals([await readText(pair.far), await readText(pair.far)], ["hello!", null]);
});

Deno.test("NativeTransport.write() rejects while a write of the turn is pending", ring, async () => {
  using pair = await transportPair(network);
  const outcome = new Outcome();
  let writing: Promise<number> | undefined;
  await inBusyTurn(network, () => {
    writeSoon(pair.near, "hello", outcome);
    writing = pair.near.write(text("x"));
    writing.catch(() => {});
  });
  await assertRejects(() => writing!, TypeError, "twice");
  await until(() => outcome.reports.length > 0);
});

Deno.test(
  "NativeTransport.writeSoon() reports what the socket does not take, and that it is broken",
  ring,
  async () => {
    using full = await transportPair(network);
    using ended = await transportPair(network);
    const sent = fill(full.near);
    await ended.near.closeWrite();
    const [first, second] = [new Outcome(), new Outcome()];
    await inBusyTurn(network, () => {
      writeSoon(full.near, "hello", first);
      writeSoon(ended.near, "hello", second);
    });
    await until(() => second.reports.length > 0);
    assertEquals([first.reports, second.reports.map((each) => (each as Error).constructor)], [
      [[0, 5]],
      [Deno.errors.BrokenPipe],
    ]);
    full.near.close();
    assertEquals(await readToEnd(full.far), sent);
  },
);

Deno.test(
  "NativeTransport.writeSoon() leaves writes to a receiver that writes again, and to those after it their bytes",
  ring,
  async () => {
    using one = await transportPair(network);
    using full = await transportPair(network);
    fill(full.near);
    const again = text("and more of the same length");
    let soon: boolean | undefined;
    let rest = "";
    await inBusyTurn(network, () => {
      one.near.writeSoon!(text("hello"), 5, {
        written() {
          soon = one.near.writeSoon!(again, again.length, new Outcome());
        },
        writeFailed() {},
      });
      full.near.writeSoon!(text("second"), 6, {
        written: (_count, bytes) => rest = new TextDecoder().decode(bytes),
        writeFailed() {},
      });
    });
    await until(() => rest !== "");
    assertEquals([soon, rest], [false, "second"]);
  },
);

for (const how of ["close", "reset"] as const) {
  Deno.test(
    `NativeTransport.${how}() drops the write of the turn, which never reaches the next owner of the descriptor`,
    ring,
    async () => {
      using pair = await transportPair(network);
      const listener = network.listen({ port: 0 });
      const outcome = new Outcome();
      let next: Promise<Transport> | undefined;
      await inBusyTurn(network, () => {
        writeSoon(pair.near, "secret", outcome);
        pair.near[how]!();
        next = network.connect({ port: listener.address.port }); // It gets the number that is free now.
      });
      const near = await next!;
      const far = await listener.accept();
      near.writeNow!(text("own"), 3);
      near.closeWriteNow!();
      assertEquals([await readText(far), await readText(far)], ["own", null]);
      assertEquals(outcome.reports, []);
      for (const each of [near, far, listener]) each.close();
    },
  );
}

Deno.test(
  "NativeTransport.closeWriteNow() during the write of a turn loses none of what was sent before",
  ring,
  async () => {
    using pair = await transportPair(network);
    const outcome = new Outcome();
    await pair.far.closeWrite();
    assertEquals(await readText(pair.near), null);
    await inBusyTurn(network, () => {
      pair.near.writeNow!(text("before"), 6);
      writeSoon(pair.near, "x", outcome);
      pair.near.closeWriteNow!();
    });
    await until(() => outcome.reports.length > 0);
    assertEquals([await readText(pair.far), await readText(pair.far)], ["before", null]);
  },
);
