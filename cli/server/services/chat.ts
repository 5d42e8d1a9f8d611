/** `server.ts chat`. @module */
import { text } from "../../args/option.ts";
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
import { fileError } from "../../shared/file_error.ts";
import { authOf } from "../limit_options.ts";
import { guardTokenOption } from "../../shared/token_option.ts";

const options = {
  port: servicePort(8889),
  users: text({
    help:
      "Accounts, a line each as `client.ts account NAME` prints it; their names are taken by /login alone",
    placeholder: "FILE",
    defaultText: "none, every name is free",
  }),
  ...connectionOptions,
  ...lineOptions,
  ...guardTokenOption,
};

/** A chat room. */
export const chat = {
  summary: "A chat room for telnet, nc and client.ts chat",
  options,
  examples: [
    ["chat", "A room on 127.0.0.1:8889"],
    ["chat --host 0.0.0.0 --users users.txt", "On every address, some names with a password"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startChat } = await import("../../../services/chat/service.ts");
    const { users, maxLine } = values;
    const accounts = users === undefined ? {} : { accounts: await readAccounts(users) };
    return startChat({ ...await listenOptions(values, host), maxLine, ...accounts, ...await authOf(values) });
  },
} as const satisfies Service;

async function readAccounts(file: string) {
  const { Accounts } = await import("../../../services/chat/accounts.ts");
  try {
    return Accounts.parse(await Deno.readTextFile(file));
  } catch (cause) {
    throw fileError(`read the accounts in ${quoted(file)}`, cause);
  }
}
