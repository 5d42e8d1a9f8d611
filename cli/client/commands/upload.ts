/** `client.ts upload`. @module */
import { ExitCode, ExitError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import { plural } from "../../../internal/plural.ts";
import { fileError } from "../../shared/file_error.ts";
import { transferOptions } from "../files_options.ts";
import type { CommandInput, ServiceClient } from "../client_command.ts";

const options = {
  name: text({ help: "Its path at the server", defaultText: "its own name, at the root" }),
  ...transferOptions,
};

const positionals = { file: text({ help: "What to upload", required: true }) };

/** A file for a files service. */
export const upload = {
  summary: "Uploads a file, goes on where an earlier try broke off, and has its SHA-256 checked",
  positionals,
  options,
  examples: [
    ["upload report.pdf", "To the root of the server, which has to be --writable"],
    ["upload /tmp/sea.jpg --name photos/2026/sea.jpg", "To another path"],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const [{ startTransferProgress, transferred, withFiles }, { uploadFile }] = await Promise.all([
      import("../files_session.ts"),
      import("../../../services/files/transfer.ts"),
    ]);
    const { file: source } = words;
    const path = values.name ?? source.split(/[/\\]/).at(-1) ?? source;
    const size = await sizeOf(source);
    const done = await withFiles(values, async (client) => {
      using progress = await startTransferProgress(size, values.quiet);
      return await transferred(uploadFile(client, { source, path }, progress), `upload ${quoted(source)}`);
    });
    new Log({ json: values.json, quiet: values.quiet }).result(
      `${quoted(path)}: ${plural(done.size, "byte")}, SHA-256 ${done.checksum}` +
        (done.resumedAt > 0 ? `, resumed at ${done.resumedAt}` : ""),
      { event: "uploaded", file: source, name: path, ...done },
    );
    return ExitCode.ok;
  },
} as const satisfies ServiceClient;

async function sizeOf(file: string): Promise<number> {
  const { size, isFile } = await Deno.stat(file).catch((cause: unknown) => {
    throw fileError(`upload ${quoted(file)}`, cause);
  });
  if (!isFile) throw new ExitError(`Cannot upload ${quoted(file)}: it is not a file`);
  return size;
}
