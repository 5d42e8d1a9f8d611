/** A connection to a file service, for the commands that use it. @module */
import { format as formatBytes } from "@std/fmt/bytes";
import { ExitError } from "../terminal/exit.ts";
import { printable } from "../../internal/printable.ts";
import type { Values } from "../args/program.ts";
import { startProgress } from "../terminal/progress.ts";
import { FilesClient, FilesError } from "../../services/files/client.ts";
import type { TransferOptions, Transferred } from "../../services/files/transfer.ts";
import { fileError, isFileError } from "../shared/file_error.ts";
import type { filesOptions } from "./files_options.ts";
import { clientNetwork } from "./tls_options.ts";

/**
 * Connects, and runs `use`.
 *
 * @throws {ExitError} If the server refuses a request.
 */
export async function withFiles<Result>(
  values: Values<typeof filesOptions>,
  use: (client: FilesClient) => Promise<Result>,
): Promise<Result> {
  const { host, port, timeout, token } = values;
  const network = await clientNetwork(values);
  await using client = await FilesClient.connect({
    hostname: host,
    port,
    timeouts: { reply: timeout },
    network,
    ...(token === undefined ? {} : { token }),
  });
  try {
    return await use(client);
  } catch (cause) {
    if (!(cause instanceof FilesError)) throw cause;
    throw new ExitError(printable(cause.message), { cause });
  }
}

/** Starts a bar, or lines at intervals, for a transfer of `total` bytes. */
export async function startTransferProgress(
  total: number,
  quiet: boolean,
): Promise<Disposable & TransferOptions> {
  const progress = await startProgress({ total, quiet });
  const since = performance.now();
  let begun: number | undefined;
  return {
    onProgress: (done) => {
      begun ??= done;
      const seconds = (performance.now() - since) / 1000;
      const rate = seconds > 0 ? `${formatBytes((done - begun) / seconds, { binary: true })}/s` : "";
      progress.update(done, rate);
    },
    [Symbol.dispose]: () => progress[Symbol.dispose](),
  };
}

/**
 * Waits for a transfer, and ends the program with one line if a local file prevents it.
 *
 * @param doing The failed action, as for {@linkcode fileError}.
 */
export async function transferred(transfer: Promise<Transferred>, doing: string): Promise<Transferred> {
  try {
    return await transfer;
  } catch (cause) {
    throw isFileError(cause) ? fileError(doing, cause) : cause;
  }
}
