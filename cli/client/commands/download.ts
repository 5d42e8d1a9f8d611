/** `client.ts download`, a download from a files service. @module */
import { ExitCode, UsageError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { group, text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import { plural } from "../../../internal/plural.ts";
import { outputFile } from "../../shared/output_file.ts";
import { transferOptions } from "../files_options.ts";
import type { CommandInput, ServiceClient } from "../client_command.ts";

const options = {
  ...group("Download", {
    output: outputFile("File to write or replace, by default its name in this directory"),
  }),
  ...transferOptions,
};

const positionals = { name: text({ help: "Path on the server", required: true, example: "report.txt" }) };

/** The command. */
export const download = {
  summary: "Download a file; resume a partial one, and verify its SHA-256",
  positionals,
  options,
  examples: [
    ["download report.pdf", "Into the current directory"],
    ["download photos/2026/sea.jpg --output /tmp/sea.jpg", "To another path"],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const [{ startTransferProgress, transferred, withFiles }, { downloadFile }] = await Promise.all([
      import("../files_session.ts"),
      import("../../../services/files/transfer.ts"),
    ]);
    const { name: path } = words;
    const destination = values.output ?? lastName(path);
    const done = await withFiles(values, async (client) => {
      const { entry } = await client.stat(path);
      using progress = await startTransferProgress(entry?.size ?? 0, values.quiet);
      const transfer = downloadFile(client, { path, destination }, progress);
      return await transferred(transfer, `write ${quoted(destination)}`);
    });
    new Log({ json: values.json, quiet: values.quiet }).result(
      `${quoted(destination)}: ${plural(done.size, "byte")}, SHA-256 ${done.checksum}` +
        (done.resumedAt > 0 ? `, resumed at ${done.resumedAt}` : ""),
      { event: "downloaded", name: path, file: destination, ...done },
    );
    return ExitCode.ok;
  },
} as const satisfies ServiceClient;

function lastName(path: string): string {
  const name = path.split("/").at(-1) ?? "";
  if (name !== "" && name !== "." && name !== "..") return name;
  throw new UsageError(`Cannot use NAME: expected a file path, got ${quoted(path)}`);
}
