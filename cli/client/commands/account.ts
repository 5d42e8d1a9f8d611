/** `client.ts account`, an account for a chat room. @module */
import { ExitCode, ExitError, UsageError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import { isName, NAME_RULE, normalizeName } from "../../../services/chat/name.ts";
import { withoutMark } from "../../shared/text_file.ts";
import { type CommandInput, inputLines, outputOptions, type ServiceClient } from "../client_command.ts";

const options = outputOptions;

const positionals = { name: text({ help: "Name of the account", required: true, example: "ann" }) };

/** The command. It contacts no server: the line that it prints goes into a file of the server. */
export const account = {
  summary: "Print an account for server.ts chat --users FILE",
  positionals,
  options,
  examples: [
    ["account ann >> users.txt", "Prompt for the password"],
    ["account ann < password.txt", "Read the password from the first line of a file"],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const name = normalizeName(words.name);
    if (!isName(name)) throw new UsageError(`Cannot use NAME: expected ${NAME_RULE}, got ${quoted(name)}`);
    const { formatAccount } = await import("../../../services/chat/accounts.ts");
    const line = await formatAccount(name, await readPassword(name));
    new Log({ json: values.json, quiet: true }).result(line, { event: "account", name, line });
    return ExitCode.ok;
  },
} as const satisfies ServiceClient;

async function readPassword(name: string): Promise<string> {
  let password: string | undefined;
  if (Deno.stdin.isTerminal()) {
    const { promptPassword } = await import("../password_prompt.ts");
    password = await promptPassword(`Password of ${name}: `);
  } else {
    const { value: line } = await inputLines([]).next();
    password = line === undefined ? undefined : withoutMark(line);
  }
  // Trimmed, because /login trims the password too.
  if (password?.trim()) return password.trim();
  throw new ExitError("Cannot create an account: expected a password");
}
