/** `server.ts chat`, a chat room. @module */
import { group, integer, text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import type { Values } from "../../args/program.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import { connectionOptions, lineOptions, listenOptions, servicePort } from "../service_options.ts";
import { readTextFile } from "../../shared/text_file.ts";
import { fileError } from "../../shared/file_error.ts";
import { authOf } from "../limit_options.ts";
import { guardTokenOption } from "../../shared/token_option.ts";

const options = {
  ...group("Chat", {
    users: text({
      help: "Accounts from `client.ts account NAME`, one per line; their names require /login",
      placeholder: "FILE",
    }),
    messageRate: integer({
      help: "Most lines per second from one client, which is slowed down to it; 0 disables",
      default: 0,
      min: 0,
    }),
  }),
  ...servicePort(8889),
  ...connectionOptions,
  ...lineOptions,
  ...guardTokenOption,
};

/** The command. */
export const chat = {
  summary: "Run a chat room for telnet, nc, and client.ts chat",
  options,
  examples: [
    ["chat", "A room on 127.0.0.1:8889"],
    ["chat --host 0.0.0.0 --users users.txt", "On every address, with passwords for some names"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startChat } = await import("../../../services/chat/service.ts");
    const { users, maxLine, messageRate } = values;
    const accounts = users === undefined ? {} : { accounts: await readAccounts(users) };
    const listen = await listenOptions(values, host);
    return startChat({
      ...listen,
      limits: { ...listen.limits, maxLine, messageRate },
      access: { ...listen.access, ...await authOf(values) },
      ...accounts,
    });
  },
} as const satisfies Service;

async function readAccounts(file: string) {
  const { Accounts } = await import("../../../services/chat/accounts.ts");
  const doing = `read the accounts in ${quoted(file)}`;
  const text = await readTextFile(file, doing);
  try {
    return Accounts.parse(text);
  } catch (cause) {
    throw fileError(doing, cause);
  }
}
