/** {@linkcode nativeNetwork}: listening, connecting, and the event loop behind both. @module */
import type { Clock } from "../internal/clock.ts";
import {
  type Address,
  type BindOptions,
  type DialOptions,
  type Network,
  type Transport,
  type TransportListener,
} from "../socket/network.ts";
import { dialBySignal } from "../socket/dial_by_signal.ts";
import { systemClock } from "../socket/tcp.ts";
import {
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_ACCEPTCONN,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
} from "./abi.ts";
import { dial, type DialContext, type Target } from "./dial.ts";
import { targetOf, Targets } from "./targets.ts";
import { checked, EventLoop, type EventLoopStats } from "./event_loop.ts";
import { Libc } from "./libc.ts";
import { NativeListener } from "./listener.ts";
import { SocketConfigurator, type SocketOptions } from "./options.ts";
import { decodeSocketAddress, encodeSocketAddress, type SocketAddress, withPort } from "./socket_address.ts";

/** Options of {@linkcode nativeNetwork}. */
export interface NativeNetworkOptions extends SocketOptions {
  /** Schedules the turns of the event loop. Default the real one. */
  clock?: Clock;
}

/** Options of {@linkcode NativeNetwork.listen}. */
export interface NativeBindOptions extends BindOptions {
  /** Connections that may wait to be accepted; the kernel limits it to `net.core.somaxconn`. Default 4096. */
  backlog?: number;
  /** Accepts no IPv4 connections on an IPv6 address, as on `::`. Default `false`. */
  ipv6Only?: boolean;
  /**
   * A listening socket that this process has inherited, by its descriptor, as from systemd. It is used instead of a new
   * one, so that the rest of the options has no effect, and belongs to the listener from then on.
   */
  descriptor?: number;
}

/**
 * A {@linkcode Network} on Linux's epoll. Disposing of the last one of a thread closes the event loop and the C library;
 * its sockets must be closed before. A program that uses one to its end need not dispose of it.
 */
export interface NativeNetwork extends Network, AsyncDisposable {
  /** Listens; see {@linkcode Network.listen}. */
  listen(options: NativeBindOptions): TransportListener;
  /** Connects; see {@linkcode Network.connect}. */
  connect(options: DialOptions): Promise<Transport>;
  /** The state of the event loop, which all native networks of a thread share. */
  stats(): EventLoopStats;
}

const BACKLOG = 4096;
const ANY: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** The event loop of this thread, and how many networks use it. */
let shared: { readonly loop: EventLoop; users: number } | undefined;

/**
 * Makes a network on Linux's epoll, by calls of the C library. All native networks of a thread share one event loop,
 * which keeps the process alive only while operations wait.
 *
 * @throws {Deno.errors.NotSupported} If this is not Linux on x86-64 or arm64, or has neither glibc nor musl.
 * @throws {Deno.errors.NotCapable} If foreign functions are not allowed (`--allow-ffi`).
 * @throws {RangeError} If an option is out of its range.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@okline/okline";
 * import { nativeNetwork } from "@okline/okline/native";
 * import { assertEquals } from "@std/assert";
 *
 * if (Deno.build.os === "linux") {
 *   await using network = nativeNetwork();
 *   await using server = listen({ network });
 *   server.serve((peer) => peer.consume((lines) => lines.forEach((line) => peer.send(line))));
 *   await using client = await connect({ port: server.port, network });
 *   client.send("hello");
 *   for await (const line of client) {
 *     assertEquals(line, "hello");
 *     break;
 *   }
 * }
 * ```
 */
export function nativeNetwork(options: NativeNetworkOptions = {}): NativeNetwork {
  const configurator = new SocketConfigurator(options);
  shared ??= { loop: new EventLoop(Libc.open(), options.clock ?? systemClock), users: 0 };
  const { loop } = shared;
  shared.users++;
  const context = { loop, configurator };
  const targets = new Targets();
  let disposed = false;
  const network: NativeNetwork = {
    listen: (options) => bind(loop, configurator, options),
    connect: (options) => connect(context, targets, options),
    dial(options, receiver) {
      const { hostname = "127.0.0.1", port } = options;
      const target = targets.of({ hostname, port });
      // The lookup of a name has promises anyway.
      return target === undefined
        ? dialBySignal(network, options, receiver)
        : dial(target, context, receiver);
    },
    stats: () => loop.stats(),
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      await release();
    },
  };
  return network;
}

async function release(): Promise<void> {
  if (shared === undefined || --shared.users > 0) return;
  const { loop } = shared;
  shared = undefined;
  await loop[Symbol.asyncDispose]();
  loop.libc.unload();
}

function bind(loop: EventLoop, configurator: SocketConfigurator, options: NativeBindOptions): NativeListener {
  const { libc } = loop;
  const { descriptor: inherited } = options;
  const descriptor = inherited === undefined ? bound(libc, configurator, options) : adopted(libc, inherited);
  try {
    checked(libc.localAddress(descriptor));
    loop.growDescriptorTable();
    const family = libc.address[0]!;
    const address = decodeSocketAddress(libc.address, libc.addressLength);
    return new NativeListener(loop, {
      descriptor,
      inherited: inherited !== undefined,
      family,
      address,
      wildcard: ANY.has(address.hostname),
      configurator,
    });
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
}

/** Makes a socket that listens on the first address of a host. */
function bound(libc: Libc, configurator: SocketConfigurator, options: NativeBindOptions): number {
  const { hostname = "127.0.0.1", port, reusePort = false, backlog = BACKLOG, ipv6Only = false } = options;
  const address = { hostname, port };
  const { family, bytes } = encodeSocketAddress(address) ?? first(libc.lookUpSync(hostname), address);
  const descriptor = checked(libc.socket(family));
  try {
    configurator.setBuffers(libc, descriptor);
    if (family !== AF_UNIX) checked(libc.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1));
    if (reusePort) checked(libc.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1));
    if (family === AF_INET6) checked(libc.setOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0));
    // Before it listens: connections have the options of the socket that accepts them.
    configurator.setTcpOptions(libc, descriptor, family);
    checked(libc.bind(descriptor, bytes));
    checked(libc.listen(descriptor, backlog));
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
  return descriptor;
}

/** @throws {TypeError} If it is not a listening socket. */
function adopted(libc: Libc, descriptor: number): number {
  if (
    !Number.isInteger(descriptor) || descriptor < 0 ||
    libc.getOption(descriptor, SOL_SOCKET, SO_ACCEPTCONN) !== 1
  ) {
    throw new TypeError(`Cannot listen on descriptor ${descriptor}: expected a listening socket`);
  }
  checked(libc.adopt(descriptor));
  return descriptor;
}

/** Tries the addresses of a host in the order of its lookup. */
async function connect(context: DialContext, targets: Targets, options: DialOptions): Promise<Transport> {
  const { hostname = "127.0.0.1", port, signal } = options;
  signal?.throwIfAborted();
  const target = targets.of({ hostname, port });
  if (target !== undefined) return await dialed(target, context, signal);
  const found = await lookedUp(context.loop.libc, hostname, signal);
  let failure: unknown = new Error(`failed to lookup address information: no address (${hostname})`);
  for (const address of found) {
    try {
      return await dialed(targetOf(withPort(address, port)), context, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Connects to one address, with a promise. */
function dialed(target: Target, context: DialContext, signal: AbortSignal | undefined): Promise<Transport> {
  const { promise, resolve, reject } = Promise.withResolvers<Transport>();
  const pending = dial(target, context, { connected: resolve, connectFailed: reject });
  const aborted = (): void => {
    pending.cancel();
    reject(signal?.reason);
  };
  signal?.addEventListener("abort", aborted, { once: true });
  return promise.finally(() => signal?.removeEventListener("abort", aborted));
}

/** Waits for a lookup, but not past the signal: the C library cannot cancel it. */
async function lookedUp(
  libc: Libc,
  hostname: string,
  signal: AbortSignal | undefined,
): Promise<readonly SocketAddress[]> {
  const looking = libc.lookUp(hostname);
  if (signal === undefined) return await looking;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([looking, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    looking.catch(() => {}); // The signal's reason has been reported instead.
  }
}

function first(found: readonly SocketAddress[], { hostname, port }: Address): SocketAddress {
  const [address] = found;
  if (address === undefined) {
    throw new Error(`failed to lookup address information: no address (${hostname})`);
  }
  return withPort(address, port);
}
