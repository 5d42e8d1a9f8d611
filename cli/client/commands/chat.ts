/** `client.ts chat`, a client of a chat room. @module */
import { ExitCode, ExitError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { group, text } from "../../args/option.ts";
import { printable } from "../../../internal/printable.ts";
import { connect } from "../../../socket/connect.ts";
import type { Connection } from "../../../socket/connection.ts";
import { describeCloseReason } from "../../../socket/errors.ts";
import type { ChatScreen } from "../chat_screen.ts";
import {
  type CommandInput,
  outputOptions,
  serverOptions,
  type ServiceClient,
  timeoutOption,
} from "../client_command.ts";
import { clientNetwork, tlsClientOptions } from "../tls_options.ts";
import { showTokenOption } from "../../shared/token_option.ts";

const options = {
  ...serverOptions(8889),
  ...tlsClientOptions,
  ...showTokenOption,
  ...group("Chat", { name: text({ help: "Your name", defaultText: "the first line you type" }) }),
  timeout: timeoutOption,
  ...outputOptions,
};

/** A client of a chat room. */
export const chat = {
  summary: "Talk in a chat room, with line editing on a terminal and plain lines elsewhere",
  options,
  examples: [
    ["chat --name ann", "Enter as ann"],
    ["chat --host chat.example.org", "Enter, and type a name"],
  ],
  async run({ options: values }: CommandInput<typeof options>): Promise<ExitCode> {
    const { openScreen } = await import("../chat_screen.ts");
    const { host, port, timeout, name, token, json } = values;
    const connection = await connect({
      hostname: host,
      port,
      timeouts: { connect: timeout },
      network: await clientNetwork(values),
    });
    const screen = openScreen(json);
    if (token !== undefined) connection.send(`auth ${token}`);
    if (name !== undefined) connection.send(name);
    const visit = new Visit(connection, screen);
    const failed = visit.speak().then(() => Promise.withResolvers<never>().promise);
    let over: boolean;
    try {
      await Promise.race([visit.listen(), failed]);
      // Read before the screen is closed, because that ends the input as a user does who leaves.
      over = visit.over;
    } finally {
      screen.close();
    }
    const reason = await connection.close();
    if (over) return ExitCode.ok;
    new Log().error(`Connection closed: ${printable(describeCloseReason(reason))}`);
    return ExitCode.failure;
  },
} as const satisfies ServiceClient;

/** The input and output of one connection to a room. */
class Visit {
  readonly #connection: Connection;
  readonly #screen: ChatScreen;
  #entered = false;
  #over = false;

  constructor(connection: Connection, screen: ChatScreen) {
    this.#connection = connection;
    this.#screen = screen;
  }

  /** Whether this side ended the visit. */
  get over(): boolean {
    return this.#over;
  }

  /** Shows lines until the server closes the connection. @throws {ExitError} If the server refuses the name. */
  async listen(): Promise<void> {
    for await (const line of this.#connection) {
      this.#entered ||= line.startsWith("-- Hello ");
      if (!this.#entered && !this.#screen.interactive && line.startsWith("error ")) {
        this.#connection.abort();
        throw new ExitError(`Cannot enter: ${printable(line.slice("error ".length))}`);
      }
      this.#screen.show(line);
    }
  }

  /** Sends the lines that are typed, and `/quit` after the last one. */
  async speak(): Promise<void> {
    for await (const line of this.#screen.lines()) {
      if (line.trim() === "/quit") break;
      if (!this.#connection.send(line)) await this.#connection.flushed().catch(() => {});
      if (!this.#connection.open) return;
    }
    this.#over = true;
    this.#connection.send("/quit");
  }
}
