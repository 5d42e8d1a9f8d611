import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Transport } from "../../socket/network.ts";
import { TransportStream } from "../../tls/node_stream.ts";
import { pure } from "../_util/permissions.ts";

const LENGTH = 16_000;

/** A transport whose peer sends single bytes: 0, 1, and so on. */
function singleBytes(): Transport {
  let next = 0;
  const read = (into: Uint8Array): Promise<number | null> => {
    if (next === LENGTH) return Promise.resolve(null);
    into[0] = next++;
    return Promise.resolve(1);
  };
  return { read } as Partial<Transport> as Transport;
}

Deno.test("TransportStream collects the first bytes without copying all of them for each", pure, async () => {
  const memories = new Set<ArrayBufferLike>();
  const stream = new TransportStream(singleBytes(), {
    first(bytes) {
      memories.add(bytes.buffer);
      return bytes.length < LENGTH ? "wait" : "take";
    },
    ended() {},
    writeFailed() {},
  });
  const received: Uint8Array = (await Array.fromAsync(stream))[0];
  stream.dispose();
  assertEquals(received, Buffer.from(Uint8Array.from({ length: LENGTH }, (_, at) => at)));
  assert(memories.size < 16, `${memories.size} allocations`);
});
