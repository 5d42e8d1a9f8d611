import { assertEquals, assertRejects } from "@std/assert";
import type { Codec } from "../../socket/codecs/codec.ts";
import { connect } from "../../socket/connect.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";

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
