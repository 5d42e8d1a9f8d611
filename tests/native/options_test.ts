import { assertEquals, assertGreaterOrEqual, assertThrows } from "@std/assert";
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from "../../native/abi.ts";
import { nativeNetwork } from "../../native/mod.ts";
import { foreign, network as maybeNetwork, optionOf } from "../_util/native/native.ts";
import { transportPair } from "../_util/network/transport_pair.ts";

const network = maybeNetwork!;

Deno.test("nativeNetwork() sets no options but TCP_NODELAY by default", foreign, async () => {
  using pair = await transportPair(network);
  for (const end of [pair.near, pair.far]) {
    assertEquals(optionOf(end, IPPROTO_TCP, TCP_NODELAY), 1);
    assertEquals(optionOf(end, SOL_SOCKET, SO_KEEPALIVE), 0);
    assertEquals(optionOf(end, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  }
});

Deno.test("nativeNetwork() sets keepalive, user timeout, and delay on both ends", foreign, async () => {
  const keepAlive = { idle: 30, interval: 5, count: 4 };
  await using tuned = nativeNetwork({ keepAlive, userTimeout: 20_000, noDelay: false });
  using pair = await transportPair(tuned);
  for (const end of [pair.near, pair.far]) {
    assertEquals(optionOf(end, SOL_SOCKET, SO_KEEPALIVE), 1);
    assertEquals(optionOf(end, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    assertEquals(optionOf(end, IPPROTO_TCP, TCP_KEEPINTVL), 5);
    assertEquals(optionOf(end, IPPROTO_TCP, TCP_KEEPCNT), 4);
    assertEquals(optionOf(end, IPPROTO_TCP, TCP_USER_TIMEOUT), 20_000);
    assertEquals(optionOf(end, IPPROTO_TCP, TCP_NODELAY), 0);
  }
});

Deno.test(
  "nativeNetwork() sets the buffers of both ends, which limit what a peer that does not read is sent",
  foreign,
  async () => {
    await using tuned = nativeNetwork({ sendBuffer: 8192, receiveBuffer: 8192 });
    using pair = await transportPair(tuned);
    for (const end of [pair.near, pair.far]) {
      assertEquals(optionOf(end, SOL_SOCKET, SO_SNDBUF), 16_384);
      assertEquals(optionOf(end, SOL_SOCKET, SO_RCVBUF), 16_384);
    }
    const sent = await pair.near.write(new Uint8Array(1 << 20));
    assertGreaterOrEqual(1 << 17, sent);
  },
);

Deno.test("nativeNetwork() throws for options out of range", foreign, () => {
  for (
    const [options, message] of [
      [{ sendBuffer: 0 }, "sendBuffer 0"],
      [{ receiveBuffer: 1.5 }, "receiveBuffer 1.5"],
      [{ userTimeout: -1 }, "userTimeout -1"],
      [{ keepAlive: { idle: 40_000, interval: 1 } }, "keepAlive.idle 40000"],
      [{ keepAlive: { idle: 1, interval: 0 } }, "keepAlive.interval 0"],
      [{ keepAlive: { idle: 1, interval: 1, count: 128 } }, "keepAlive.count 128"],
    ] as const
  ) assertThrows(() => nativeNetwork(options), RangeError, message);
});
