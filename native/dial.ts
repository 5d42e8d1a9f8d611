/** A socket on its way to be connected. @module */
import type { Address, ConnectReceiver, PendingConnect } from "../socket/network.ts";
import { AF_UNIX } from "./abi.ts";
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from "./epoll_events.ts";
import { errnoOf } from "./errno.ts";
import { checked, type EventLoop } from "./event_loop.ts";
import { Handle, INPUT_EVENTS } from "./handle.ts";
import type { Libc } from "./libc.ts";
import type { SocketConfigurator } from "./options.ts";
import { decodeSocketAddress, type SocketAddress } from "./socket_address.ts";
import { errnoError } from "./system_error.ts";
import { NativeTransport } from "./transport.ts";

const IN_PROGRESS = -errnoOf("EINPROGRESS");
const INTERRUPTED = -errnoOf("EINTR");
const AGAIN = -errnoOf("EAGAIN");

// A Unix listener whose queue is full refuses sockets that do not block; its accept loop makes room soon.
const FULL_QUEUE_MS = 5;

/** A server's address, as the kernel takes it and as the transport gives it. */
export interface Target {
  readonly address: SocketAddress;
  readonly remote: Address;
  /** Whether it is an address of this machine alone. */
  readonly loopback: boolean;
}

/** The surroundings of {@linkcode dial}. */
export interface DialContext {
  readonly loop: EventLoop;
  readonly configurator: SocketConfigurator;
}

/** Connects to one address. What the system reports goes to the receiver. */
export function dial(target: Target, context: DialContext, receiver: ConnectReceiver): PendingConnect {
  return attempt(target, context, receiver) ?? new WaitForRoom(target, context, receiver);
}

const ENDED: PendingConnect = { cancel() {} };

/** Returns `undefined` if the queue of a Unix listener is full. */
function attempt(
  target: Target,
  context: DialContext,
  receiver: ConnectReceiver,
): PendingConnect | undefined {
  let begun: Dialing | NativeTransport | undefined;
  try {
    begun = begin(target, context, receiver);
  } catch (cause) {
    receiver.connectFailed(cause);
    return ENDED;
  }
  if (!(begun instanceof NativeTransport)) return begun;
  // After the `try`: an error that the receiver throws does not mean that connecting failed.
  receiver.connected(begun);
  return ENDED;
}

function begin(
  target: Target,
  { loop, configurator }: DialContext,
  receiver: ConnectReceiver,
): Dialing | NativeTransport | undefined {
  const { family, bytes } = target.address;
  const { libc } = loop;
  const descriptor = checked(libc.socket(family));
  let result: number;
  let local: Address | undefined;
  try {
    configurator.setBuffers(libc, descriptor);
    configurator.setTcpOptions(libc, descriptor, family);
    result = libc.connect(descriptor, bytes);
    // The kernel has connected a loopback socket by now, and to know it saves an event. But with few events, a server that
    // gets the first bytes at once wakes up for less: a client of a load test took a tenth more CPU time.
    if (result === IN_PROGRESS && loop.recentlyBusy && target.loopback && libc.isConnected(descriptor)) {
      result = 0;
    }
    if (result === 0) local = localOf(libc, descriptor, target);
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
  if (result === IN_PROGRESS || result === INTERRUPTED) {
    return new Dialing(loop, descriptor, target, receiver);
  }
  if (local !== undefined) return new NativeTransport(loop, descriptor, local, target.remote);
  libc.close(descriptor);
  if (result === AGAIN && family === AF_UNIX) return undefined;
  throw errnoError(-result);
}

/** Tries again until a Unix listener has room: one object for all tries, because there may be thousands. */
class WaitForRoom implements PendingConnect {
  readonly #target: Target;
  readonly #context: DialContext;
  readonly #receiver: ConnectReceiver;
  #waiting: PendingConnect;

  constructor(target: Target, context: DialContext, receiver: ConnectReceiver) {
    this.#target = target;
    this.#context = context;
    this.#receiver = receiver;
    this.#waiting = this.#wait();
  }

  #wait(): PendingConnect {
    return this.#context.loop.clock.after(FULL_QUEUE_MS, () => this.#try());
  }

  #try(): void {
    this.#waiting = attempt(this.#target, this.#context, this.#receiver) ?? this.#wait();
  }

  cancel(): void {
    this.#waiting.cancel();
  }
}

/** Returns the local address of a connected socket. */
function localOf(libc: Libc, descriptor: number, { address, remote }: Target): Address {
  // The end of a Unix socket that connects has no name: both ends are known by the path of the server.
  if (address.family === AF_UNIX) return remote;
  checked(libc.localAddress(descriptor));
  return decodeSocketAddress(libc.address, libc.addressLength);
}

/** Waits for the kernel's answer. */
class Dialing extends Handle implements PendingConnect {
  readonly #target: Target;
  readonly #receiver: ConnectReceiver;

  constructor(loop: EventLoop, descriptor: number, target: Target, receiver: ConnectReceiver) {
    // With the events of input, which the transport needs, so that the descriptor is registered once.
    super(loop, descriptor, INPUT_EVENTS | EPOLLOUT);
    this.#target = target;
    this.#receiver = receiver;
    loop.begin();
  }

  cancel(): void {
    if (this.closed) return;
    this.loop.end();
    this.closeDescriptor();
  }

  override handleEvents(bits: number): void {
    this.loop.end();
    let transport: NativeTransport;
    try {
      // Asked for only after a failure: it costs a system call.
      if ((bits & (EPOLLERR | EPOLLHUP)) !== 0) this.#throwFailure();
      if ((bits & ~EPOLLOUT) !== 0) this.inputLeft(); // The server has spoken first.
      const local = localOf(this.loop.libc, this.descriptor, this.#target);
      transport = new NativeTransport(this.loop, this, local, this.#target.remote);
    } catch (cause) {
      this.closeDescriptor();
      return this.#receiver.connectFailed(cause);
    }
    this.#receiver.connected(transport);
  }

  #throwFailure(): void {
    const errno = this.loop.libc.takeError(this.descriptor);
    if (errno !== 0) throw errnoError(errno);
  }

  // Handled as one event.
  protected wanted(): number {
    return 0;
  }

  protected readable(): void {}

  protected writable(): void {}
}
