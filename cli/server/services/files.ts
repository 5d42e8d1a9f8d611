/** `server.ts files`. @module */
import { flag, text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import type { Values } from "../../args/program.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  type RunningService,
  type Service,
  type ServiceHost,
  servicePort,
} from "../service_command.ts";
import { PARTIAL_PREFIX } from "../../../services/files/path.ts";
import { fileError } from "../../shared/file_error.ts";
import { authOf } from "../limit_options.ts";
import { guardTokenOption } from "../../shared/token_option.ts";

const options = {
  port: servicePort(8891),
  root: text({
    help: "Directory to serve; nothing outside it is reached",
    placeholder: "DIR",
    required: true,
  }),
  writable: flag({ help: "Let clients upload and delete" }),
  ...connectionOptions,
  ...lineOptions,
  ...guardTokenOption,
};

/** The files of one directory. */
export const files = {
  summary: "Serves the files of a directory: list, download, upload, resumed and checked",
  options,
  examples: [
    ["files --root .", "The current directory on 127.0.0.1:8891, read-only"],
    ["files --root /srv/drop --writable", "One that clients may upload to"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startFiles } = await import("../../../services/files/service.ts");
    const { root, writable, maxLine } = values;
    await requireDirectory(root, values);
    return await startFiles({
      ...await listenOptions(values, host),
      root,
      writable,
      maxLine,
      ...await authOf(values),
    });
  },
} as const satisfies Service;

/** Refuses a directory that no request could be served from, before anybody asks for one. */
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
  if (writable) await permitted(`take uploads in ${quoted(root)}`, () => tryWriting(root));
}

/** Writes a file and deletes it. Only that tells of permissions, of the file system's as well as the program's. */
async function tryWriting(directory: string): Promise<void> {
  const path = `${directory}/${PARTIAL_PREFIX}${crypto.randomUUID()}`;
  await Deno.writeFile(path, new Uint8Array(), { createNew: true });
  await Deno.remove(path);
}
