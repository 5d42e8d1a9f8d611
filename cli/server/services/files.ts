/** `server.ts files`, a file server. @module */
import { duration, flag, group, text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import type { Values } from "../../args/program.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  processOptions,
  servicePort,
} from "../service_options.ts";
import { PARTIAL_PREFIX } from "../../../services/files/path.ts";
import { fileError } from "../../shared/file_error.ts";
import { authOf } from "../limit_options.ts";
import { guardTokenOption } from "../../shared/token_option.ts";

const options = {
  ...group("Files", {
    root: text({ help: "Directory to serve", placeholder: "DIR", required: true, example: "." }),
    writable: flag({ help: "Allow uploads and deletion" }),
    partialTtl: duration({
      help: "Delete unfinished uploads after this long; 0 disables",
      default: 86_400_000,
    }),
  }),
  ...servicePort(8891),
  ...processOptions,
  ...connectionOptions,
  ...lineOptions,
  ...guardTokenOption,
};

/** The command. */
export const files = {
  summary: "Serve the files of a directory, with resumable, verified transfers",
  options,
  examples: [
    ["files --root .", "The current directory on 127.0.0.1:8891, read-only"],
    ["files --root /srv/drop --writable", "A directory for uploads"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startFiles } = await import("../../../services/files/service.ts");
    const { root, writable, partialTtl, maxLine } = values;
    await requireDirectory(root, values);
    const listen = await listenOptions(values, host);
    return await startFiles({
      ...listen,
      root,
      writable,
      partialTtl,
      limits: { ...listen.limits, maxLine },
      access: { ...listen.access, ...await authOf(values) },
    });
  },
} as const satisfies Service;

/** Rejects an unusable directory before the first request. */
async function requireDirectory(root: string, { writable }: { readonly writable: boolean }): Promise<void> {
  const serving = `serve the files of ${quoted(root)}`;
  const permitted = async (doing: string, attempt: () => Promise<void>): Promise<void> => {
    try {
      await attempt();
    } catch (cause) {
      throw fileError(doing, cause);
    }
  };
  await permitted(serving, async () => {
    if (!(await Deno.stat(root)).isDirectory) throw new Error("it is not a directory");
    for await (const _ of Deno.readDir(root)) break;
  });
  if (writable) await permitted(`accept uploads in ${quoted(root)}`, () => tryWriting(root));
}

/** Writes, locks, and deletes a file: the only reliable test for the permissions, and for what the file system can do. */
async function tryWriting(directory: string): Promise<void> {
  const path = `${directory}/${PARTIAL_PREFIX}-${crypto.randomUUID()}`;
  using file = await Deno.open(path, { write: true, createNew: true });
  try {
    await file.tryLock(true);
  } finally {
    await Deno.remove(path);
  }
}
