/** `client.ts list`. @module */
import { ExitCode } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { text } from "../../args/option.ts";
import { printable } from "../../../internal/printable.ts";
import { filesOptions } from "../files_options.ts";
import type { CommandInput, ServiceClient } from "../client_command.ts";

const options = filesOptions;

const positionals = { directory: text({ help: "Which directory", default: ".", defaultText: "the root" }) };

/** Names at a files service. */
export const list = {
  summary: "Lists a directory of a files service",
  positionals,
  options,
  examples: [
    ["list", "What is at the root"],
    ["list photos/2026 --json", "What is in a directory, for a script"],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const { withFiles } = await import("../files_session.ts");
    const log = new Log({ json: values.json });
    await withFiles(values, async (client) => {
      for await (const { type, size, modified, name } of client.list(words.directory)) {
        const shown = printable(name, Infinity) + (type === "directory" ? "/" : "");
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
