import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { Codec } from "../../socket/codecs/codec.ts";
import { lineCodec } from "../../socket/codecs/line_codec.ts";
import { connect, ConnectRequest } from "../../socket/connect.ts";
import { ConnectionSettings } from "../../socket/connection/settings.ts";
import type { Network } from "../../socket/network.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { ReadyTransport } from "../_util/network/ready_transport.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("connect() rejects, and closes the socket, when the codec throws", {
  permissions: "none",
}, async () => {
  const network = new MemoryNetwork();
  const listener = network.listen({ port: 1 });
  const codec = {
    decoder: () => {
      throw new TypeError("broken codec");
    },
  } as unknown as Codec<string>;
  const connecting = connect({ port: 1, network, codec, timeouts: { connect: 0 } });
  await assertRejects(() => connecting, TypeError, "broken codec");
  (await listener.accept()).close();
  listener.close();
  assertEquals(network.stats().sockets, 0);
});

Deno.test("ConnectRequest.begin() throws what the receiver throws within the call", pure, () => {
  const transport = new ReadyTransport();
  const network: Network = {
    listen: () => {
      throw new TypeError("Cannot listen");
    },
    connect: () => Promise.reject(new TypeError("Cannot connect")),
    dial(_options, receiver) {
      receiver.connected(transport);
      return { cancel() {} };
    },
  };
  const settings = new ConnectionSettings({ codec: lineCodec(), clock: new VirtualClock() });
  const mistake = new Error("mistake");
  const reasons: unknown[] = [];
  const request = new ConnectRequest({ port: 1, network }, settings, {
    opened(connection) {
      connection.abort();
      throw mistake;
    },
    notOpened: (reason) => void reasons.push(reason),
  });
  assertStrictEquals(assertThrows(() => request.begin()), mistake);
  assertEquals([reasons, transport.closed], [[], true]);
});
