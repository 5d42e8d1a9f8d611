import { bytesCodec, connect } from "../../socket/mod.ts";

/** Sends bytes over one connection, in pieces if there are several, and gives all that comes back until the end. */
export async function exchange(port: number, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  await using connection = await connect({ port, codec: bytesCodec });
  for (const piece of pieces) {
    connection.send(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    await connection.flushed();
  }
  const decoder = new TextDecoder();
  let answer = "";
  for await (const bytes of connection.frames()) answer += decoder.decode(bytes, { stream: true });
  return answer;
}
