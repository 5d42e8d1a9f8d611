/** `server.ts files`. @module */
import { ExitError } from "../../cli/exit.ts";
import { flag, text } from "../../cli/option.ts";
import { quoted } from "../../cli/printable.ts";
import type { Values } from "../../cli/program.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  type RunningService,
  type Service,
  type ServiceHost,
  servicePort,
} from "../service.ts";
import { authOf } from "../guard_options.ts";
import { guardTokenOption } from "../token_option.ts";

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
    const { startFiles } = await import("../../services/files.ts");
    const { root, writable, maxLine } = values;
    await requireDirectory(root);
    return await startFiles({
      ...await listenOptions(values, host),
      root,
      writable,
      maxLine,
      ...await authOf(values),
    });
  },
} as const satisfies Service;

/** Says in the user's terms what would otherwise be the system's error for one of its calls. */
async function requireDirectory(root: string): Promise<void> {
  const why = await Deno.stat(root).then(
    ({ isDirectory }) => isDirectory ? undefined : "it is no directory",
    (error: Error) => error instanceof Deno.errors.NotFound ? "there is no such directory" : error.message,
  );
  if (why !== undefined) throw new ExitError(`Cannot serve the files of ${quoted(root)}: ${why}`);
}
