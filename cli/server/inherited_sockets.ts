/**
 * Listening sockets that this process has inherited: from systemd, or from the first process of a server that runs in
 * several. Their queues of new connections outlive each process, so that replacing one resets no connection.
 *
 * @module
 */
import type { BindOptions, Network, TransportListener } from "../../socket/network.ts";
import type { NativeNetwork } from "../../native/mod.ts";
import { type Environment, processEnvironment } from "../args/environment.ts";
import { group, integer } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import { transportNetwork, type transportOption } from "../shared/transport_option.ts";
import { ExitError, UsageError } from "../terminal/exit.ts";

/** `--listen-fd` */
export const inheritOption = group("Listening", {
  listenFd: integer({
    help: "Descriptor of an inherited socket to accept on, instead of --host and --port",
    min: 3,
    repeatable: true,
    placeholder: "N",
    defaultText: "those from systemd, if any",
  }),
});

type InheritValues = Values<typeof inheritOption>;

// sd_listen_fds(3): the first one, and the number of them in LISTEN_FDS, if LISTEN_PID is this process.
const FIRST_DESCRIPTOR = 3;
const COUNT = /^[1-9]\d{0,3}$/;
const PREFIX = "fd:";

/** Returns the descriptors of the inherited sockets: those of the option, or those from systemd. */
export function inheritedDescriptors(
  { listenFd }: InheritValues,
  { environment = processEnvironment, pid = Deno.pid }: {
    readonly environment?: Environment;
    readonly pid?: number;
  } = {},
): readonly number[] {
  const count = environment("LISTEN_FDS") ?? "";
  if (listenFd.length > 0 || environment("LISTEN_PID") !== `${pid}` || !COUNT.test(count)) return listenFd;
  return Array.from({ length: Number(count) }, (_, index) => FIRST_DESCRIPTOR + index);
}

/** Returns the name by which the network of {@linkcode listeningNetwork} knows an inherited socket. */
export function inheritedHost(descriptor: number): string {
  return `${PREFIX}${descriptor}`;
}

/**
 * Returns the network that a service listens on.
 *
 * @throws {UsageError} If there are inherited sockets, but Deno's sockets are used, which cannot adopt a descriptor.
 * @throws {ExitError} If this system or the permissions do not allow epoll, and it is needed.
 */
export async function listeningNetwork(
  values: InheritValues & Values<typeof transportOption>,
): Promise<Network> {
  const inherits = inheritedDescriptors(values).length > 0;
  if (!inherits) return await transportNetwork(values.transport);
  if (values.transport === "deno") {
    throw new UsageError("Cannot use --transport deno with an inherited socket: expected epoll");
  }
  return inheriting(await transportNetwork("epoll"));
}

/** @throws {ExitError} If the descriptor is not a listening socket. */
function adopt(network: NativeNetwork, descriptor: number, options: BindOptions): TransportListener {
  try {
    return network.listen({ ...options, descriptor });
  } catch (cause) {
    if (cause instanceof TypeError) throw new ExitError(cause.message, { cause });
    throw cause;
  }
}

/** Returns a network that listens on an inherited socket if the host is the name of one. */
function inheriting(network: NativeNetwork): Network {
  return {
    connect: (options) => network.connect(options),
    listen: ({ hostname = "", ...options }: BindOptions) =>
      hostname.startsWith(PREFIX)
        ? adopt(network, Number(hostname.slice(PREFIX.length)), options)
        : network.listen({ ...options, hostname }),
  };
}
