/** A file server for one directory. @module */
import { errorLine } from "../../protocol.ts";
import { authenticate } from "../../access/authenticate.ts";
import type { LineListenLimits } from "../../socket/listener/options.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import { sleep } from "../../internal/sleep.ts";
import { systemClock } from "../../socket/tcp.ts";
import { FileStore } from "./file_store.ts";
import { Partials } from "./partials.ts";
import { filesCodec, type FilesFrame, uploadLength } from "./codec.ts";
import { FilesSession } from "./session.ts";
import { farewellLine, ListenerService, type ServiceAccess, type ServiceOptions } from "../service.ts";

/** Options for {@linkcode startFiles}. */
export interface FilesOptions extends ServiceOptions {
  /** Directory to serve. Clients cannot reach anything outside it. */
  root: string;
  /** Whether clients may upload and delete. Default `false`. */
  writable?: boolean;
  /**
   * Time in ms after which an interrupted upload can no longer be resumed, and its partial file is deleted; 0 disables.
   * Default 86,400,000 (a day).
   */
  partialTtl?: number;
  /** Limits of the listener, and of each connection and its lines. */
  limits?: LineListenLimits;
  /** Decides which clients may send requests. */
  access?: ServiceAccess;
}

/** Counters of a files service. */
export interface FilesStats extends ListenerStats {
  /** Bytes of files received. */
  readonly bodyBytesIn: number;
  /** Bytes of files sent completely. */
  readonly bodyBytesOut: number;
  /** Partial files deleted because of their age. */
  readonly expiredPartials: number;
}

const PARTIAL_TTL = 24 * 60 * 60 * 1000;
/** Maximum time in ms between two searches for expired partial files. */
const EXPIRY_INTERVAL = 60 * 60 * 1000;

/**
 * Starts a file server. A request is a line; paths are percent-encoded, relative to the root:
 *
 * | request | answer |
 * |---|---|
 * | `LIST [DIRECTORY]` | a line for each entry: `file SIZE TIME NAME`, `directory 0 TIME NAME`, or, if clients may write, `partial SIZE TIME NAME`; then `ok COUNT`, with `omitted COUNT` at the end if there are names that a request cannot express (not UTF-8, or with a control character or a backslash) |
 * | `STAT PATH` | `ok file SIZE TIME`; if there is an interrupted upload, `partial SIZE` at the end, or instead |
 * | `GET PATH [OFFSET]` | `body LENGTH`, that number of bytes, `sha256 HEX` of the whole file |
 * | `PUT PATH SIZE [OFFSET]`, the bytes from the offset on, `sha256 HEX` of the whole file | `ready OFFSET` before the body, `ok` after it |
 * | `DELETE PATH` | `ok`; deletes the file and its partial file |
 * | `QUIT` | `ok` |
 *
 * A refused request is answered with `error …`. Before an answer that takes long, and during an upload, the server sends
 * `working DONE` about every 400 ms, with the number of bytes hashed or written, or of names read.
 *
 * An upload is put in place when it is complete and its checksum is right. Several processes can serve the same root: only
 * one client at a time writes a file. After an interruption, the received bytes stay for `partialTtl`. A refused upload
 * leaves nothing.
 *
 * @returns The service, after it has started to listen.
 * @throws {TypeError} If the root is not a directory. Errors of `listen` are also thrown.
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
  const { clock = systemClock, partialTtl = PARTIAL_TTL, writable = false } = options;
  const store = await FileStore.open(options.root);
  const partials = new Partials(store);
  const moved = { in: 0, out: 0 };
  let expiredPartials = 0;
  const expire = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      expiredPartials += await partials.expire(partialTtl, signal);
      await sleep(Math.min(partialTtl, EXPIRY_INTERVAL), clock, signal).catch(() => signal.aborted);
    }
  };
  const sessionOptions = {
    store,
    partials,
    clock,
    writable,
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
  const auth = options.access?.auth;
  return new ListenerService(listener, async (client, draining) => {
    const session = new FilesSession(client, sessionOptions);
    using _ = draining.whenBegun(client, () => session.drain());
    if (auth === undefined || await authenticate(client, { ...auth, clock })) await session.run();
  }, {
    ...options,
    ...(writable && partialTtl > 0 ? { background: expire } : {}),
    stats: (stats) => ({ ...stats, bodyBytesIn: moved.in, bodyBytesOut: moved.out, expiredPartials }),
  });
}
