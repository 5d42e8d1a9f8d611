/** Properties of the file client for any output of the server. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FilesClient, FilesError } from "../../../services/files/client.ts";
import { parsePath } from "../../../services/files/path.ts";
import { bytesCodec } from "../../../socket/codecs/bytes_codec.ts";
import { listen } from "../../../socket/listen.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { chunks, cuts, nearly, type Properties, run } from "./fuzz_bytes.ts";

const NOW = "2026-11-21T05:32:34.715Z";

const answers = nearly([
  `file 5 ${NOW} a\n`,
  `file 5 ${NOW} a%20b\n`,
  `directory 0 ${NOW} sub\n`,
  `file 5 ${NOW} a/b\n`,
  `file 5 ${NOW} ..\n`,
  `file 5 ${NOW} .\n`,
  `file 5 ${NOW} %1b[2J\n`,
  `file 5 ${NOW}\n`,
  "file 5 yesterday a\n",
  `file 999999999999999 ${NOW} big\n`,
  `file 9999999999999999 ${NOW} bigger\n`,
  `partial 5 ${NOW} a\n`,
  "working 5\n",
  "ok\n",
  "ok 1\n",
  "ok 1 omitted 2\n",
  `ok file 5 ${NOW}\n`,
  `ok file 5 ${NOW} partial 3\n`,
  "ok file 5 never\n",
  "ok partial 3\n",
  "ready 0\n",
  "body 5\nhello",
  "body 0\n",
  "body 999999999999999\n",
  `sha256 ${"0".repeat(64)}\n`,
  "error no such file\n",
  "error checksum differs\n",
  "error bad escape \\q\n",
  "error \\ud800\n",
  "error\n",
  "ok",
  "\n",
]);

type Act = "list" | "stat" | "download" | "upload" | "delete";

async function* twoPieces(): AsyncIterableIterator<Uint8Array> {
  yield new Uint8Array(2);
  yield new Uint8Array(3);
}

/** Results that a client may rely on. */
async function ask(client: FilesClient, act: Act): Promise<void> {
  const assertEntry = ({ size, modified }: { readonly size: number; readonly modified: Date }) => {
    assert(Number.isSafeInteger(size) && size >= 0, `${size}`);
    assert(!Number.isNaN(modified.getTime()));
  };
  switch (act) {
    case "list":
      for await (const entry of client.list()) {
        assertEntry(entry);
        assertEquals(parsePath(encodeURIComponent(entry.name)), [entry.name]);
      }
      return;
    case "stat": {
      const { entry, partial } = await client.stat("x");
      if (entry !== undefined) assertEntry(entry);
      assert(Number.isSafeInteger(partial) && partial >= 0);
      return;
    }
    case "download": {
      const { length, body, checksum } = await client.download("x");
      let bytes = 0;
      for await (const piece of body) bytes += piece.length;
      assertEquals(bytes, length);
      assertEquals((await checksum()).length, 64);
      return;
    }
    case "upload":
      return await client.upload("x", { size: 5, body: twoPieces(), checksum: () => "0".repeat(64) });
    case "delete":
      return await client.delete("x");
  }
}

/** A server says this, cut so, and nothing more, to a client that asks for these things one after the other. */
async function assertSound(said: Uint8Array, sizes: readonly number[], acts: readonly Act[]): Promise<void> {
  const network = new MemoryNetwork();
  const server = listen({ network, port: 8000, codec: bytesCodec });
  const served = server.serve(async (peer) => {
    for (const piece of chunks(said, sizes)) peer.send(piece);
    await peer.close();
  });
  {
    await using client = await FilesClient.connect({ network, port: 8000, timeouts: { reply: 0 } });
    for (const act of acts) {
      try {
        await ask(client, act);
      } catch (error) {
        if (!(error instanceof FilesError)) throw error;
      }
    }
  }
  await server.close();
  await served;
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
}

/** Every property of it. */
export const FILES_PROPERTIES: Properties = {
  "a file client returns a valid result or throws a FilesError for any answer": run(
    fc.asyncProperty(
      answers,
      cuts,
      fc.array(fc.constantFrom<Act>("list", "stat", "download", "upload", "delete"), {
        minLength: 1,
        maxLength: 4,
      }),
      assertSound,
    ),
  ),
};
