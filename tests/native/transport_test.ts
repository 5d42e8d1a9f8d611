/** Sockets on epoll. */
import { assertEquals } from "@std/assert";
import type { NativeTransport } from "../../native/transport.ts";
import type { Receiver, Transport } from "../../socket/network.ts";
import { foreign, network as maybeNetwork } from "../_util/native/native.ts";
import { fill, text, transportPair } from "../_util/network/transport_pair.ts";
import { until } from "../_util/until.ts";

const network = maybeNetwork!;
const PIECE = new Uint8Array(64 * 1024);

/** Writes until the socket takes no more. The write that is returned waits. */
function overfill(transport: Transport): Promise<number> {
  fill(transport);
  return transport.write(PIECE);
}

Deno.test("NativeTransport.write() resolves when it begins to wait inside received()", foreign, async () => {
  const listener = network.listen({ port: 0 });
  const peer = await network.connect({ port: listener.address.port });
  const transport = await listener.accept();
  const filledAgain = Promise.withResolvers<number>();
  transport.receive!({
    received: () => overfill(transport).then(filledAgain.resolve, filledAgain.reject),
    receivedEnd() {},
    receiveFailed: filledAgain.reject,
  });
  const filled = overfill(transport);
  const buffer = new Uint8Array(1024 * 1024);
  const drained = (async () => {
    for (;;) if (await peer.read(buffer) === null) return;
  })();
  await filled;
  // Now the next event of the socket has both: it can be read, and it still has EPOLLOUT, because no event has found that unwanted yet.
  peer.writeNow!(PIECE, 1);
  await filledAgain.promise;
  transport.close();
  await drained;
  for (const each of [peer, listener]) each.close();
});

Deno.test("NativeTransport.writeNow() delivers bytes that a FIN follows, and then FIN", foreign, async () => {
  const listener = network.listen({ port: 0 });
  const peer = await network.connect({ port: listener.address.port });
  const transport = await listener.accept();
  assertEquals(transport.writeNow!(PIECE, 5, true), 5);
  transport.closeWriteNow!();
  assertEquals(await peer.read(new Uint8Array(100)), 5);
  assertEquals(await peer.read(new Uint8Array(100)), null);
  for (const each of [transport, peer, listener]) each.close();
});

Deno.test("NativeTransport.receive() gets what follows urgent data", foreign, async () => {
  const MSG_OOB = 1;
  const library = Deno.dlopen("libc.so.6", {
    send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  });
  using pair = await transportPair(network);
  let received = "";
  const receiver: Receiver = {
    received(bytes) {
      received += new TextDecoder().decode(bytes);
      pair.far.receive!(receiver);
    },
    receivedEnd() {},
    receiveFailed() {},
  };
  pair.near.writeNow!(text("before"), 6);
  library.symbols.send((pair.near as NativeTransport).descriptor, text("!"), 1, MSG_OOB);
  pair.near.writeNow!(text(" after"), 6);
  pair.far.receive!(receiver);
  await until(() => received === "before after");
  library.close();
});

/** Turns of the event loop after which a read that has not settled waits for an event that will not come. */
const TURNS = 1000;

/** Returns the result of a read, or `"pending"` if it does not settle. */
async function settled<Result>(reading: Promise<Result>): Promise<Result | "pending"> {
  let result: Result | "pending" = "pending";
  const read = reading.then((value) => result = value);
  for (let turn = 0; turn < TURNS && result === "pending"; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return result === "pending" ? result : await read;
}

Deno.test(
  "NativeTransport.read() inside received() gets the FIN that came with the bytes",
  foreign,
  async () => {
    using pair = await transportPair(network);
    const { near, far } = pair;
    const read = Promise.withResolvers<number | null>();
    far.receive!({
      received: () => far.read(new Uint8Array(1)).then(read.resolve, () => {}), // `close` rejects a pending read.
      receivedEnd() {},
      receiveFailed: read.reject,
    });
    near.writeNow!(PIECE, 5, true);
    near.closeWriteNow!();
    assertEquals(await settled(read.promise), null);
  },
);

Deno.test(
  "NativeTransport.receive() gets the FIN that came with the bytes when received() has thrown",
  foreign,
  async () => {
    using pair = await transportPair(network);
    const { near, far } = pair;
    const ended = Promise.withResolvers<string>();
    const thrown = Promise.withResolvers<void>();
    const caught = (event: ErrorEvent) => {
      event.preventDefault();
      thrown.resolve();
    };
    addEventListener("error", caught, { once: true });
    far.receive!({
      received() {
        throw new Error("Broken receiver");
      },
      receivedEnd() {},
      receiveFailed() {},
    });
    near.writeNow!(PIECE, 5, true);
    near.closeWriteNow!();
    await thrown.promise;
    removeEventListener("error", caught);
    far.receive!({
      received() {},
      receivedEnd: () => ended.resolve("end"),
      receiveFailed: ended.reject,
    });
    assertEquals(await settled(ended.promise), "end");
  },
);
