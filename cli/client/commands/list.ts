/** `client.ts list`, a directory listing of a files service. @module */
import { ExitCode } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { text } from "../../args/option.ts";
import { plural } from "../../../internal/plural.ts";
import { printable } from "../../../internal/printable.ts";
import { filesOptions } from "../files_options.ts";
import type { CommandInput, ServiceClient } from "../client_command.ts";

const options = filesOptions;

const SUFFIX = { file: "", directory: "/", partial: " (unfinished upload)" } as const;

const positionals = {
  directory: text({ help: "Directory on the server", default: ".", defaultText: "the root" }),
};

/** The command. */
export const list = {
  summary: "List a directory of a files service",
  positionals,
  options,
  examples: [
    ["list", "List the root"],
    ["list photos/2026 --json", "List a directory as JSON"],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const { withFiles } = await import("../files_session.ts");
    const log = new Log({ json: values.json });
    await withFiles(values, async (client) => {
      const onOmitted = (count: number): void =>
        log.warn(`${plural(count, "name")} omitted: not UTF-8, or with a control character or a backslash`);
      for await (const { type, size, modified, name } of client.list(words.directory, { onOmitted })) {
        const shown = printable(name, Infinity) + SUFFIX[type];
        const time = modified.toISOString();
        log.result(`${String(size).padStart(13)}  ${time.slice(0, 16).replace("T", " ")}  ${shown}`, {
          event: "entry",
          type,
          size,
          modified: time,
          name,
        });
      }
    });
    return ExitCode.ok;
  },
} as const satisfies ServiceClient;
