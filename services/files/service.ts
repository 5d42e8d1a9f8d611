/** Files of one directory, by lines and raw bodies. @module */
import { errorLine } from "../../protocol.ts";
import { authenticate } from "../../access/authenticate.ts";
import { FramingError } from "../../socket/errors.ts";
import type { LineListenLimits } from "../../socket/listen_options.ts";
import { listen, type ListenerStats } from "../../socket/listener.ts";
import { FileStore } from "./file_store.ts";
import { filesCodec, type FilesFrame, uploadLength } from "./codec.ts";
import { FilesSession } from "./session.ts";
import {
  authOptions,
  farewellLine,
  ListenerService,
  type ServiceAccess,
  type ServiceOptions,
} from "../service.ts";

/** Options for {@linkcode startFiles}. */
export interface FilesOptions extends ServiceOptions {
  /** Directory to serve. Nothing outside it is reached. */
  root: string;
  /** Whether clients may upload and delete. Default `false`. */
  writable?: boolean;
  /** Limits of the listener, and of each connection and its lines. */
  limits?: LineListenLimits;
  /** Decides which clients may send requests. */
  access?: ServiceAccess;
}

/** What a files service counts. */
export interface FilesStats extends ListenerStats {
  /** Bytes of files received. */
  readonly bodyBytesIn: number;
  /** Bytes of files sent in full. */
  readonly bodyBytesOut: number;
}

/**
 * Starts a file server. A request is a line; paths are percent-encoded, relative to the root:
 *
 * | request | answer |
 * |---|---|
 * | `LIST [DIRECTORY]` | an entry a line, `file SIZE TIME NAME` or `directory 0 TIME NAME`, then `ok COUNT` |
 * | `STAT PATH` | `ok file SIZE TIME`, with `partial SIZE` at the end or instead where an upload was cut off |
 * | `GET PATH [OFFSET]` | `body LENGTH`, so many bytes, `sha256 HEX` of the whole file |
 * | `PUT PATH SIZE [OFFSET]`, the bytes from the offset on, `sha256 HEX` of the whole file | `ready OFFSET` before the body, `ok` after it |
 * | `DELETE PATH` | `ok` |
 * | `QUIT` | `ok` |
 *
 * What is refused is answered `error …`. An upload takes its name when it is whole and its checksum is right.
 *
 * @returns The service, listening.
 * @throws {TypeError} If the root is no directory; and as {@linkcode listen} does.
 *
 * @example
 * ```ts
 * import { startFiles } from "@okline/okline/services";
 * import { connect } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await startFiles({ root: await Deno.makeTempDir() });
 * await using client = await connect({ port: server.port });
 * client.send("LIST");
 * assertEquals((await client[Symbol.asyncIterator]().next()).value, "ok 0");
 * ```
 */
export async function startFiles(options: FilesOptions): Promise<ListenerService<FilesFrame, FilesStats>> {
  const store = await FileStore.open(options.root);
  const moved = { in: 0, out: 0 };
  const sessionOptions = {
    store,
    writable: options.writable ?? false,
    moved: (bytes: { readonly in?: number; readonly out?: number }) => {
      moved.in += bytes.in ?? 0;
      moved.out += bytes.out ?? 0;
    },
  };
  const listener = listen({
    ...options,
    codec: filesCodec(uploadLength, options.limits),
    refusal: errorLine,
    farewell: farewellLine,
  });
  const auth = options.access?.auth && authOptions(options.access.auth, options);
  return new ListenerService(listener, async (client, draining) => {
    const session = new FilesSession(client, sessionOptions);
    using _ = draining.whenBegun(() => session.drain());
    try {
      if (auth === undefined || await authenticate(client, auth)) await session.run();
    } catch (error) {
      if (error instanceof FramingError) client.send(errorLine(error.message));
      throw error;
    }
  }, {
    ...options,
    stats: (stats) => ({ ...stats, bodyBytesIn: moved.in, bodyBytesOut: moved.out }),
  });
}
