/** A socket on its way to be connected. @module */
import type { Address, Transport } from "../socket/network.ts";
import { AF_UNIX } from "./abi.ts";
import { EPOLLOUT } from "./epoll_events.ts";
import { errnoOf } from "./errno.ts";
import { checked, type EventLoop } from "./event_loop.ts";
import { Handle } from "./handle.ts";
import type { SocketConfigurator } from "./options.ts";
import { decodeSocketAddress, type SocketAddress } from "./socket_address.ts";
import { errnoError } from "./system_error.ts";
import { NativeTransport } from "./transport.ts";

const IN_PROGRESS = -errnoOf("EINPROGRESS");
const INTERRUPTED = -errnoOf("EINTR");
const AGAIN = -errnoOf("EAGAIN");

// A Unix listener whose queue is full refuses sockets that do not block; its accept loop makes room soon.
const FULL_QUEUE_MS = 5;

/** The surroundings of {@linkcode dial}. */
export interface DialContext {
  readonly loop: EventLoop;
  readonly configurator: SocketConfigurator;
  readonly signal: AbortSignal | undefined;
}

/**
 * Connects to one address.
 *
 * @throws {Error} What the system reports, or the signal's reason.
 */
export async function dial(address: SocketAddress, context: DialContext): Promise<Transport> {
  const { loop, signal } = context;
  for (;;) {
    signal?.throwIfAborted();
    const result = begin(address, context);
    if (typeof result !== "number") return result instanceof Dialing ? await result.done : result;
    if (result !== AGAIN || address.family !== AF_UNIX) throw errnoError(-result);
    await new Promise<void>((resolve) => loop.clock.after(FULL_QUEUE_MS, resolve));
  }
}

/** Gives the connected socket, one that is on its way, or the negated error number. */
function begin(
  address: SocketAddress,
  { loop, configurator, signal }: DialContext,
): Transport | Dialing | number {
  const { libc } = loop;
  const descriptor = checked(libc.socket(address.family));
  let result: number;
  try {
    configurator.beforeConnect(libc, descriptor);
    configurator.connected(libc, descriptor, address.family);
    result = libc.connect(descriptor, address.bytes);
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
  if (result === 0) return connected(loop, descriptor, address);
  if (result === IN_PROGRESS || result === INTERRUPTED) return new Dialing(loop, descriptor, address, signal);
  libc.close(descriptor);
  return result;
}

function connected(
  loop: EventLoop,
  descriptor: number,
  address: SocketAddress,
  listed?: number,
): NativeTransport {
  const { libc } = loop;
  const remote = decodeSocketAddress(address.bytes, address.bytes.length);
  let local: Address;
  try {
    checked(libc.localAddress(descriptor));
    // The end of a Unix socket that connects has no name: both ends are known by the path of the server.
    local = address.family === AF_UNIX ? remote : decodeSocketAddress(libc.address, libc.addressLength);
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
  return new NativeTransport(loop, descriptor, local, remote, listed);
}

/** Waits for the kernel's answer. */
class Dialing extends Handle {
  readonly done: Promise<Transport>;
  readonly #address: SocketAddress;
  readonly #settle: PromiseWithResolvers<Transport> = Promise.withResolvers();
  readonly #signal: AbortSignal | undefined;

  constructor(loop: EventLoop, descriptor: number, address: SocketAddress, signal: AbortSignal | undefined) {
    super(loop, descriptor, EPOLLOUT);
    this.done = this.#settle.promise;
    this.#address = address;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    loop.begin();
  }

  protected wanted(): number {
    return this.closed ? 0 : EPOLLOUT;
  }

  protected readable(): void {}

  protected writable(): void {
    const errno = this.loop.libc.takeError(this.descriptor);
    this.#end();
    if (errno !== 0) {
      this.closeDescriptor();
      this.#settle.reject(errnoError(errno));
      return;
    }
    try {
      this.#settle.resolve(connected(this.loop, this.release(), this.#address, EPOLLOUT));
    } catch (error) {
      this.#settle.reject(error);
    }
  }

  readonly #onAbort = (): void => {
    this.#end();
    this.closeDescriptor();
    this.#settle.reject(this.#signal!.reason);
  };

  #end(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.loop.end();
  }
}
