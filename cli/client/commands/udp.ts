/** `client.ts udp`, a datagram client. @module */
import { ExitCode, ExitError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { duration, flag, group, integer, text } from "../../args/option.ts";
import { printable } from "../../../internal/printable.ts";
import type { DatagramSocket } from "../../../socket/udp.ts";
import type { Address } from "../../../socket/network.ts";
import {
  type CommandInput,
  inputLines,
  outputOptions,
  serverOptions,
  type ServiceClient,
} from "../client_command.ts";

const options = {
  ...group("UDP", {
    chat: flag({ help: "Join a datagram chat: send typed lines, show received ones" }),
    timeout: duration({ help: "Longest wait for a reply per attempt", default: 1000 }),
    attempts: integer({ help: "Attempts per datagram", default: 3, min: 1 }),
  }),
  ...serverOptions(12_345),
  ...outputOptions,
};

const positionals = {
  text: text({ help: "Datagrams to send", repeatable: true, empty: true, defaultText: "the lines of stdin" }),
};

/** The command. */
export const udp = {
  summary: "Send datagrams, retry without a reply, and print replies",
  positionals,
  options,
  examples: [
    ["udp hello", "One datagram there and back"],
    ["udp --chat", "Join a datagram chat"],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const { DatagramSocket } = await import("../../../socket/udp.ts");
    const { port, timeout, attempts, json, chat } = values;
    const server = { hostname: await resolve(values.host), port };
    using socket = bind(() => new DatagramSocket({ hostname: localFor(server.hostname) }));
    if (chat) {
      const { talk } = await import("../udp_chat.ts");
      return await talk({ socket, server, json });
    }
    const log = new Log({ json });
    for await (const line of inputLines(words.text)) {
      const begun = performance.now();
      const answer = await ask(() =>
        socket.ask(new TextEncoder().encode(line), server, { timeout, attempts })
      );
      const text = new TextDecoder().decode(answer);
      const ms = Math.round((performance.now() - begun) * 10) / 10;
      log.result(printable(text, Infinity), { event: "reply", text, bytes: answer.length, ms });
    }
    return ExitCode.ok;
  },
} as const satisfies ServiceClient;

/** Resolves a name to an address, by which replies are recognized. */
async function resolve(host: string): Promise<Address["hostname"]> {
  if (/^[\d.]+$/.test(host) || host.includes(":")) return host;
  const { lookup } = await import("node:dns/promises");
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new ExitError(`Cannot find ${printable(host)}: no such host`, { cause });
  }
}

/** Returns the address to bind: loopback for a loopback server, so that permission for loopback is enough. */
function localFor(hostname: string): string {
  if (hostname.includes(":")) return hostname === "::1" ? "::1" : "::";
  return hostname.startsWith("127.") ? "127.0.0.1" : "0.0.0.0";
}

function bind(make: () => DatagramSocket): DatagramSocket {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new ExitError(`Cannot send datagrams: ${cause.message}`, { cause });
  }
}

async function ask(send: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await send();
  } catch (cause) {
    const { TimedOut, NotCapable } = Deno.errors;
    if (cause instanceof TimedOut || cause instanceof RangeError || cause instanceof NotCapable) {
      throw new ExitError(cause.message, { cause });
    }
    throw cause;
  }
}
