/** A custom binary protocol: each frame has a length of two bytes, a kind, and a number or text. */
import { connect, lengthPrefixCodec, listen } from "@okline/okline/socket";

const SQUARE = 1;
const REVERSE = 2;
const codec = lengthPrefixCodec({ prefix: 2, maxFrame: 1024 });

function frame(kind: number, content: number | string): Uint8Array {
  if (typeof content === "string") return new Uint8Array([kind, ...new TextEncoder().encode(content)]);
  const bytes = new Uint8Array(9);
  new DataView(bytes.buffer).setUint8(0, kind);
  new DataView(bytes.buffer).setFloat64(1, content);
  return bytes;
}
const numberOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getFloat64(1);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(1));

await using server = listen({ port: 0, codec });
server.serve(async (peer) => {
  for await (const asked of peer) {
    if (asked[0] === SQUARE) peer.send(frame(SQUARE, numberOf(asked) ** 2));
    else peer.send(frame(REVERSE, [...textOf(asked)].reverse().join("")));
  }
});
await using client = await connect({ port: server.port, codec });
for (const request of [frame(SQUARE, 12), frame(REVERSE, "olleh")]) client.send(request);
await client.closeWrite();
for await (const answer of client) console.log(answer[0] === SQUARE ? numberOf(answer) : textOf(answer));
// prints 144
// prints hello
