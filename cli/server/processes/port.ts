/** Shares the port of a server between its processes. @module */
import { type Address, type Network, unixPath } from "../../../socket/network.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { UsageError } from "../../terminal/exit.ts";
import { inheritedDescriptors, inheritedHost, listeningNetwork } from "../inherited_sockets.ts";
import { bindOptions, type ConnectionValues } from "../service_options.ts";
import { BoundSockets, type BoundSocketsOptions } from "./bound_sockets.ts";

/** The socket on which one process of a server accepts. */
export interface PortShare {
  /** Its arguments. */
  readonly args: readonly string[];
  /** Calls `start`, whose child process accepts on this share. */
  sharedWith<Child>(start: () => Child): Child;
  /** Gives the share up: new connections go to the others. */
  close(): void;
}

/** A bound port, of which each process opens a share. */
export interface SharedPort {
  readonly addresses: readonly Address[];
  /** Opens the share of one process. */
  open(): PortShare;
  /** Stops accepting when all processes have closed their shares. */
  close(): void;
}

/**
 * Binds the addresses of a server.
 *
 * Each process has sockets of its own (`SO_REUSEPORT`), over which Linux spreads connections evenly. They are bound here and
 * inherited, so that the queue of new connections outlives the process: its successor accepts them. Processes that bind
 * their sockets themselves would have their queues reset by Linux when they end. That is what happens with the transport of
 * Deno, which cannot adopt a socket, and on other systems. One socket for all, as systemd passes it, loses no connections
 * either, but whichever process wakes first takes most of them.
 *
 * @throws {Error} The error of the OS if an address is in use.
 */
export async function bindSharedPort(
  values: ConnectionValues,
  onEvent: BoundSocketsOptions["onEvent"],
): Promise<SharedPort> {
  const inherited = inheritedDescriptors(values).map(inheritedHost);
  const { hostnames = [], tryHostnames = [], port = 0 } = inherited.length > 0
    ? { hostnames: inherited }
    : bindOptions(values);
  const options = { hostnames, tryHostnames, port, reusePort: values.reusePort, onEvent };
  const single = inherited.length > 0 || hostnames.some((hostname) => unixPath(hostname) !== undefined);
  const keeps = single || values.transport !== "deno" && mayUseEpoll();
  const network = keeps ? await epollNetwork(values) : systemNetwork;
  if (single) return sharedByAll({ ...options, network });
  // Fails if another server has the port, which is a mistake without --reuse-port.
  const exclusive = new BoundSockets({ ...options, network });
  const { addresses } = exclusive;
  exclusive.close();
  const bound = {
    ...options,
    port: addresses[0]!.port,
    hostnames: addresses.map(({ hostname }) => hostname),
  };
  return {
    addresses,
    open: keeps
      ? () => new BoundSockets({ ...bound, network, tryHostnames: [], reusePort: true })
      : () => boundByProcess(bound),
    close() {},
  };
}

/** Returns whether this program can use the epoll transport. */
function mayUseEpoll(): boolean {
  return Deno.build.os === "linux" && Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function boundByProcess({ hostnames, port }: Pick<BoundSocketsOptions, "hostnames" | "port">): PortShare {
  return {
    args: [...hostnames.flatMap((hostname) => ["--host", hostname]), "--port", `${port}`, "--reuse-port"],
    sharedWith: (start) => start(),
    close() {},
  };
}

/** One socket for each address, for all processes. A Unix socket cannot be bound twice. */
function sharedByAll(options: BoundSocketsOptions): SharedPort {
  const sockets = new BoundSockets(options);
  return {
    addresses: sockets.addresses,
    open: () => ({ args: sockets.args, sharedWith: (start) => sockets.sharedWith(start), close() {} }),
    close: () => sockets.close(),
  };
}

/** @throws {UsageError} If the transport of Deno was asked for, which cannot pass a socket on. */
async function epollNetwork(values: ConnectionValues): Promise<Network> {
  if (values.transport === "deno") {
    throw new UsageError("Cannot share this socket between processes with --transport deno: expected epoll");
  }
  return await listeningNetwork({ ...values, transport: "epoll" });
}
