/** `client.ts echo`, clients of a line echo. @module */
import { ExitCode } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { group, integer, text } from "../../args/option.ts";
import { printable } from "../../../internal/printable.ts";
import { connect } from "../../../socket/connect.ts";
import { plural } from "../../../internal/plural.ts";
import { describeCloseReason } from "../../../socket/errors.ts";
import { EchoClient } from "../echo_client.ts";
import {
  type CommandInput,
  inputLines,
  outputOptions,
  serverOptions,
  type ServiceClient,
  timeoutOption,
} from "../client_command.ts";
import { clientNetwork, tlsClientOptions } from "../tls_options.ts";

const REPLIES = { one: "reply", many: "replies" };
const WRONG = { one: "was", many: "were" };

const options = {
  ...group("Echo", { clients: integer({ help: "Number of parallel clients", default: 1, min: 1 }) }),
  ...serverOptions(8080),
  ...tlsClientOptions,
  timeout: timeoutOption,
  ...outputOptions,
};

const positionals = {
  text: text({ help: "Lines to send", repeatable: true, empty: true, defaultText: "the lines of stdin" }),
};

/** The command. */
export const echo = {
  summary: "Send lines, and print each one that comes back",
  positionals,
  options,
  examples: [
    ["echo hello", "One line there and back"],
    ["echo --clients 50 hello", "Fifty parallel clients"],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const { clients: count, host, port, timeout, json } = values;
    const log = new Log({ json });
    const network = await clientNetwork(values);
    const begun = performance.now();
    const clients = await Promise.all(Array.from({ length: count }, async (_, index) => {
      const number = index + 1;
      const heard = (line: string): void =>
        log.result((count > 1 ? `client ${number}: ` : "") + printable(line, Infinity), {
          event: "reply",
          client: number,
          text: line,
        });
      return new EchoClient(
        await connect({ hostname: host, port, timeouts: { connect: timeout }, network }),
        { timeout, heard },
      );
    }));
    for await (const line of inputLines(words.text)) {
      await Promise.all(clients.map((client) => client.say(line)));
      if (clients.every((client) => client.ended)) break;
    }
    const results = await Promise.all(clients.map((client) => client.finish()));
    for (const [index, { missing, wrong, reason }] of results.entries()) {
      if (missing === 0 && wrong === 0) continue;
      log.warn(
        `Client ${index + 1}: ${plural(missing, REPLIES)} did not come, ${
          plural(wrong, WRONG)
        } not what was sent; ` +
          `the connection ended, ${printable(describeCloseReason(reason))}`,
      );
    }
    const good = results.filter(({ missing, wrong }) => missing === 0 && wrong === 0).length;
    const messages = results.reduce((sum, { replies }) => sum + replies, 0);
    const seconds = Math.round(performance.now() - begun) / 1000;
    if (count > 1 || json || good < count) {
      log.result(
        `${good} of ${plural(count, "client")} got all they sent, ${
          plural(messages, REPLIES)
        } in ${seconds} s`,
        {
          event: "summary",
          clients: count,
          good,
          replies: messages,
          seconds,
        },
      );
    }
    return good === count ? ExitCode.ok : ExitCode.failure;
  },
} as const satisfies ServiceClient;
