/** `client.ts upload`, an upload to a files service. @module */
import { ExitCode, ExitError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { group, text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import { plural } from "../../../internal/plural.ts";
import { fileError } from "../../shared/file_error.ts";
import { transferOptions } from "../files_options.ts";
import type { CommandInput, ServiceClient } from "../client_command.ts";

const options = {
  ...group("Upload", {
    name: text({
      help: "Path on the server; an existing file is replaced",
      defaultText: "the file name, at the root",
    }),
  }),
  ...transferOptions,
};

const positionals = { file: text({ help: "File to upload", required: true, example: "report.txt" }) };

/** The command. */
export const upload = {
  summary: "Upload a file; resume a partial upload, and verify its SHA-256",
  positionals,
  options,
  examples: [
    ["upload report.pdf", "To the root of a --writable server"],
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
