/** The option `--transport`. @module */
import type { NativeNetwork } from "../../native/mod.ts";
import type { Network } from "../../socket/network.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { choice } from "../args/option.ts";
import { ExitError } from "../terminal/exit.ts";

const TRANSPORTS = ["deno", "epoll"] as const;

/** The name of a transport. */
export type TransportName = typeof TRANSPORTS[number];

const HELP = "Sockets of Deno, or on Linux's epoll, which is faster and needs --allow-ffi";

/** `--transport` */
export const transportOption = { transport: choice(TRANSPORTS, { help: HELP, defaultText: "deno" }) };

/** `--transport` of a server, which can inherit sockets. */
export const serverTransportOption = {
  transport: choice(TRANSPORTS, {
    help: HELP,
    defaultText: "deno; epoll for sockets that processes inherit",
  }),
};

/**
 * Returns the network of a transport; the code of epoll is loaded only if it is chosen.
 *
 * @throws {ExitError} If this system or the permissions do not allow it.
 */
export async function transportNetwork(transport: "epoll"): Promise<NativeNetwork>;
/** @param transport Default `deno`. */
export async function transportNetwork(transport: TransportName | undefined): Promise<Network>;
export async function transportNetwork(transport: TransportName = "deno"): Promise<Network> {
  if (transport === "deno") return systemNetwork;
  const { nativeNetwork } = await import("../../native/mod.ts");
  try {
    return nativeNetwork();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotSupported || cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new ExitError(cause.message, { cause });
  }
}

/** Returns the arguments that give a child process the same transport. */
export function transportArguments(transport: TransportName | undefined): string[] {
  return transport === undefined ? [] : ["--transport", transport];
}

/**
 * Parses what {@linkcode transportArguments} returns, for a child process with no other arguments.
 *
 * @throws {RangeError} For anything else.
 */
export function parseTransport([option, name]: readonly string[]): TransportName | undefined {
  if (option === undefined) return undefined;
  const transport = option === "--transport" ? TRANSPORTS.find((known) => known === name) : undefined;
  if (transport === undefined) {
    throw new RangeError(`Cannot parse ${option} ${name}: expected --transport deno|epoll`);
  }
  return transport;
}
