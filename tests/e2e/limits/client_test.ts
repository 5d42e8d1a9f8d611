import { assertEquals } from "@std/assert";
import { bytesCodec, ConnectionClosedError, listen } from "../../../socket/mod.ts";
import { runClient } from "../../_util/programs/program.ts";

const MIB = 1024 * 1024;

for (const command of ["http", "hello"] as const) {
  Deno.test(`client.ts ${command} ends when a body that it has to hold is over 64 MiB`, async () => {
    const server = listen({ codec: bytesCodec });
    const served = server.serve(async (peer) => {
      for await (const _request of peer) {
        const piece = new Uint8Array(MIB).fill(0x78);
        peer.send(new TextEncoder().encode(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * MIB}\r\n\r\n`));
        try {
          for (let sent = 0; sent < 1024 && peer.open; sent++) {
            if (!peer.send(piece)) await peer.flushed();
          }
        } catch (error) {
          if (!(error instanceof ConnectionClosedError)) throw error; // The client has left.
        }
      }
    });
    const at = command === "http"
      ? ["http", "GET", `http://127.0.0.1:${server.port}/`, "--json"]
      : ["hello", "--host", "127.0.0.1", "--port", `${server.port}`];
    const { code, err } = await runClient(at);
    assertEquals([code, /over 64MiB|64MiB|64 MiB/.test(err)], [1, true], err);
    await server.close();
    await served;
  });
}
