/** A listening socket. @module */
import { type Address, type Transport, type TransportListener, unixPath } from "../socket/network.ts";
import { EPOLLIN } from "./epoll_events.ts";
import { errnoOf } from "./errno.ts";
import { checked, type EventLoop } from "./event_loop.ts";
import { Handle } from "./handle.ts";
import type { SocketConfigurator } from "./options.ts";
import { decodeSocketAddress } from "./socket_address.ts";
import { errnoError } from "./system_error.ts";
import { NativeTransport } from "./transport.ts";

const AGAIN = -errnoOf("EAGAIN");

// Connections accepted in a turn, so that a flood of them leaves time to those that are open.
const SHARE = 256;

/** The parts of a {@linkcode NativeListener}. */
export interface NativeListenerOptions {
  /** Bound and listening. */
  readonly descriptor: number;
  /** Whether another process bound it, to which the file of a Unix socket belongs. */
  readonly inherited: boolean;
  readonly family: number;
  readonly address: Address;
  /** Whether connections have other local addresses than the listener. */
  readonly wildcard: boolean;
  readonly configurator: SocketConfigurator;
}

/** A {@linkcode TransportListener} on a descriptor of its own. */
export class NativeListener extends Handle implements TransportListener {
  readonly address: Address;
  readonly #options: NativeListenerOptions;
  /** The local address of the last connection; most have the same. */
  #local: Address;
  #accepting: PromiseWithResolvers<Transport> | undefined;
  /** Connections that may still be accepted before the next event. */
  #share = 0;

  constructor(loop: EventLoop, options: NativeListenerOptions) {
    super(loop, options.descriptor, 0);
    this.address = this.#local = options.address;
    this.#options = options;
  }

  accept(): Promise<Transport> {
    if (this.closed) return Promise.reject(closedError());
    if (this.#accepting !== undefined) {
      return Promise.reject(new Deno.errors.Busy("Another accept task is ongoing"));
    }
    try {
      const transport = this.acceptNow();
      if (transport !== undefined) return Promise.resolve(transport);
    } catch (error) {
      return Promise.reject(error);
    }
    this.awaitInput();
    this.loop.begin();
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  /** @throws {Error} The error of the OS. */
  acceptNow(): Transport | undefined {
    if (this.closed || this.#share === 0) return undefined;
    return this.#accept();
  }

  close(): void {
    if (this.closed) return;
    const path = unixPath(this.address.hostname);
    // Before the descriptor: once that is closed, the path may belong to another listener.
    if (path !== undefined && !this.#options.inherited) this.loop.libc.unlink(path);
    this.closeDescriptor();
    this.#takeAccepting()?.reject(closedError());
  }

  /** Lets child processes that are started from now on inherit the socket, or keeps it from them. */
  set inheritable(inheritable: boolean) {
    checked(this.loop.libc.setInheritable(this.descriptor, inheritable));
  }

  protected wanted(): number {
    return this.#accepting === undefined ? 0 : EPOLLIN;
  }

  protected readable(): void {
    this.#share = SHARE;
    try {
      const transport = this.acceptNow();
      if (transport !== undefined) this.#takeAccepting()!.resolve(transport);
    } catch (error) {
      this.#takeAccepting()!.reject(error);
    }
  }

  protected writable(): void {}

  /** Accepts a connection; `undefined` if none is there. */
  #accept(): NativeTransport | undefined {
    const { loop } = this;
    const { family, configurator, wildcard, inherited } = this.#options;
    const descriptor = loop.libc.accept(this.descriptor);
    if (descriptor === AGAIN) {
      this.#share = 0;
      return undefined;
    }
    if (--this.#share === 0) this.inputLeft();
    if (descriptor < 0) throw errnoError(-descriptor);
    let remote = decodeSocketAddress(loop.libc.address, loop.libc.addressLength);
    if (unixPath(remote.hostname) === "") remote = this.address;
    // Other sockets have the options of the listening socket.
    if (inherited) configurator.setTcpOptions(loop.libc, descriptor, family);
    return new NativeTransport(
      loop,
      descriptor,
      wildcard ? this.#localAddress(descriptor) : this.address,
      remote,
    );
  }

  #localAddress(descriptor: number): Address {
    const { libc } = this.loop;
    if (libc.localAddress(descriptor) < 0) return this.address;
    const { hostname, port } = decodeSocketAddress(libc.address, libc.addressLength);
    if (hostname !== this.#local.hostname || port !== this.#local.port) this.#local = { hostname, port };
    return this.#local;
  }

  #takeAccepting(): PromiseWithResolvers<Transport> | undefined {
    const accepting = this.#accepting;
    if (accepting === undefined) return undefined;
    this.#accepting = undefined;
    this.loop.end();
    return accepting;
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("Listener has been closed");
}
