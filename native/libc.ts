/**
 * Every foreign call of the native transport, with its types. No pointer and no buffer is used after the call that it is
 * passed to, except for the memory of a lookup, which belongs to the C library and is freed here, and the rings of io_uring,
 * which belong to the kernel and are unmapped here.
 *
 * Functions return what the system call returned, or the negated error number where it failed, as the kernel does.
 *
 * @module
 */
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  F_DUPFD_CLOEXEC,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  IORING_ENTER_GETEVENTS,
  MAP_POPULATE,
  MAP_SHARED,
  MSG_MORE,
  MSG_NOSIGNAL,
  O_NONBLOCK,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
  SHUT_WR,
  SO_ERROR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SYS_IO_URING_ENTER,
  SYS_IO_URING_SETUP,
} from "./abi.ts";
import { type AddressList, lookUp, lookUpSync } from "./address_lookup.ts";
import { type Arch, EpollEvents } from "./epoll_events.ts";
import { errnoOf, SOCKET_ERRORS } from "./errno.ts";
import { type Library, openLibrary } from "./library.ts";
import { MAX_SOCKET_ADDRESS } from "./socket_address.ts";

/** One ms, in ns. */
const MS = 1_000_000;

/** Memory that the kernel reads and writes, too. */
export type SharedWords = Int32Array<ArrayBuffer>;

/** The C library's functions for sockets and epoll. */
export class Libc {
  readonly arch: Arch;
  readonly #library: Library;
  readonly #symbols: Library["symbols"];
  readonly #errno: Deno.UnsafePointerView;
  readonly #event: EpollEvents;
  readonly #int = new Int32Array(1);
  /** `struct timespec` */
  readonly #time = new BigInt64Array(2);
  readonly #timeBytes = new Uint8Array(this.#time.buffer);
  /** `struct pollfd` */
  readonly #poll = new Int32Array(2);
  readonly #pollBytes = new Uint8Array(this.#poll.buffer);
  readonly #intBytes = new Uint8Array(this.#int.buffer);
  readonly #length = new Uint32Array(1);
  readonly #lengthBytes = new Uint8Array(this.#length.buffer);
  /** The address that the last call wrote that writes one; its length in bytes is `addressLength`. */
  readonly address: Uint8Array<ArrayBuffer> = new Uint8Array(MAX_SOCKET_ADDRESS);

  constructor(library: Library, arch: Arch) {
    this.arch = arch;
    this.#library = library;
    this.#symbols = library.symbols;
    this.#event = new EpollEvents(1, arch);
    // One for this thread, on which all calls but those that wait are made.
    this.#errno = new Deno.UnsafePointerView(this.#symbols.__errno_location()!);
  }

  /**
   * Opens the C library.
   *
   * @throws {Deno.errors.NotSupported} If this is not Linux on x86-64 or arm64, or no known C library is found.
   * @throws {Deno.errors.NotCapable} If foreign functions are not allowed.
   */
  static open(): Libc {
    const { library, arch } = openLibrary();
    return new this(library, arch);
  }

  /** Closes the library: no other method may be called from then on. */
  unload(): void {
    this.#library.close();
  }

  get addressLength(): number {
    return Math.min(this.#length[0]!, MAX_SOCKET_ADDRESS);
  }

  /** Makes a stream socket that does not block and that children do not inherit. */
  socket(family: number): number {
    return this.#result(this.#symbols.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }

  bind(descriptor: number, address: Uint8Array<ArrayBuffer>): number {
    return this.#result(this.#symbols.bind(descriptor, address, address.length));
  }

  listen(descriptor: number, backlog: number): number {
    return this.#result(this.#symbols.listen(descriptor, backlog));
  }

  /** Accepts a connection that does not block and that children do not inherit; `address` is the peer's. */
  accept(descriptor: number): number {
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    for (let attempt = 1;; attempt++) {
      this.#length[0] = MAX_SOCKET_ADDRESS;
      const accepted = this.#symbols.accept4(descriptor, this.address, this.#lengthBytes, flags);
      if (accepted >= 0) return accepted;
      const errno = this.#errno.getInt32();
      if (this.#isBelievable(errno, attempt)) return -errno;
    }
  }

  connect(descriptor: number, address: Uint8Array<ArrayBuffer>): number {
    for (let attempt = 1;; attempt++) {
      const result = this.#symbols.connect(descriptor, address, address.length);
      if (result >= 0) return result;
      const errno = this.#errno.getInt32();
      // The repetition finds what the first call has begun.
      if (attempt > 1 && (errno === EALREADY || errno === EISCONN)) return -EINPROGRESS;
      if (this.#isBelievable(errno, attempt)) return -errno;
    }
  }

  /** Writes the socket's own address to `address`. */
  localAddress(descriptor: number): number {
    this.#length[0] = MAX_SOCKET_ADDRESS;
    return this.#result(this.#symbols.getsockname(descriptor, this.address, this.#lengthBytes));
  }

  /** Whether a socket is connected: it was, and nothing has ended that. Overwrites `address`. */
  isConnected(descriptor: number): boolean {
    this.#length[0] = MAX_SOCKET_ADDRESS;
    return this.#symbols.getpeername(descriptor, this.address, this.#lengthBytes) >= 0;
  }

  receive(descriptor: number, into: Uint8Array): number {
    for (let attempt = 1;; attempt++) {
      const count = this.#symbols.recv(descriptor, foreign(into), into.length, 0);
      if (count >= 0) return count;
      const errno = this.#errno.getInt32();
      if (this.#isBelievable(errno, attempt)) return -errno;
    }
  }

  /**
   * Sends the first `length` bytes, or as many as fit; a peer that is gone raises no SIGPIPE.
   *
   * @param more Whether more bytes or a FIN follow immediately, so that they share packets.
   */
  send(descriptor: number, bytes: Uint8Array, length: number, more = false): number {
    const flags = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    for (let attempt = 1;; attempt++) {
      const count = this.#symbols.send(descriptor, foreign(bytes), length, flags);
      if (count >= 0) return count;
      const errno = this.#errno.getInt32();
      if (this.#isBelievable(errno, attempt)) return -errno;
    }
  }

  shutdownWrite(descriptor: number): number {
    return this.#result(this.#symbols.shutdown(descriptor, SHUT_WR));
  }

  /** Closes a descriptor. Linux frees the number whatever the result, so that a repetition could hit another's. */
  close(descriptor: number): void {
    this.#symbols.close(descriptor);
  }

  setOption(descriptor: number, level: number, option: number, value: number): number {
    this.#int[0] = value;
    return this.#result(this.#symbols.setsockopt(descriptor, level, option, this.#intBytes, 4));
  }

  /** Sets an option whose value is a struct. */
  setStructOption(descriptor: number, level: number, option: number, value: Uint8Array<ArrayBuffer>): number {
    return this.#result(this.#symbols.setsockopt(descriptor, level, option, value, value.length));
  }

  /** Returns an option's value, which must not be negative, or the negated error number. */
  getOption(descriptor: number, level: number, option: number): number {
    this.#length[0] = 4;
    const result = this.#symbols.getsockopt(descriptor, level, option, this.#intBytes, this.#lengthBytes);
    return result < 0 ? this.#result(result) : this.#int[0]!;
  }

  /** Takes the error that waits in a socket: its number, or 0. */
  takeError(descriptor: number): number {
    return Math.abs(this.getOption(descriptor, SOL_SOCKET, SO_ERROR));
  }

  /** Makes an inherited descriptor like those made here: it does not block, and children do not inherit it. */
  adopt(descriptor: number): number {
    const flags = this.#result(this.#symbols.fcntl(descriptor, F_GETFL, 0));
    if (flags < 0) return flags;
    const result = this.#result(this.#symbols.fcntl(descriptor, F_SETFL, flags | O_NONBLOCK));
    return result < 0 ? result : this.#result(this.#symbols.fcntl(descriptor, F_SETFD, FD_CLOEXEC));
  }

  /** Lets child processes that are started from now on inherit a descriptor, or keeps it from them. */
  setInheritable(descriptor: number, inheritable: boolean): number {
    return this.#result(this.#symbols.fcntl(descriptor, F_SETFD, inheritable ? 0 : FD_CLOEXEC));
  }

  /** Makes room for `count` descriptors in the kernel's table of this process. Fails if the process may not have as many. */
  growDescriptorTable(descriptor: number, count: number): number {
    const copy = this.#result(this.#symbols.fcntl(descriptor, F_DUPFD_CLOEXEC, count - 1));
    if (copy >= 0) this.close(copy);
    return copy;
  }

  /** Removes a file. */
  unlink(path: string): number {
    return this.#result(this.#symbols.unlink(new TextEncoder().encode(`${path}\0`)));
  }

  epollCreate(): number {
    return this.#result(this.#symbols.epoll_create1(EPOLL_CLOEXEC));
  }

  epollControl(
    epoll: number,
    operation: number,
    descriptor: number,
    bits: number,
    generation: number,
  ): number {
    this.#event.set(0, bits, descriptor, generation);
    return this.#result(this.#symbols.epoll_ctl(epoll, operation, descriptor, this.#event.bytes));
  }

  /**
   * Returns how many descriptors are ready. If none is, it waits on this thread for up to `ns`, which is rounded up to whole
   * ms from 1 ms on. The kernel adds up to 50 µs.
   */
  epollWait(epoll: number, events: EpollEvents, ns = 0): number {
    const short = ns > 0 && ns < MS;
    if (short) this.#pause(epoll, ns);
    const ms = short ? 0 : Math.ceil(ns / MS);
    return this.#result(this.#symbols.epoll_wait(epoll, events.bytes, events.capacity, ms));
  }

  /** Waits for less than a ms, which epoll_wait cannot. The call that can, epoll_pwait2, is younger: Linux 5.11. */
  #pause(epoll: number, ns: number): void {
    const [time, poll] = [this.#time, this.#poll];
    time[1] = BigInt(ns);
    poll[0] = epoll;
    poll[1] = POLLIN;
    this.#symbols.ppoll(this.#pollBytes, 1, this.#timeBytes, null);
  }

  /**
   * Waits on another thread until a descriptor is ready, or for `ms`. That thread has no memory to write to: the kernel
   * reports EFAULT where it would write an event, and keeps the event. Otherwise it would write to memory that is freed
   * when the Worker that waits is terminated.
   */
  async epollSleep(epoll: number, ms: number): Promise<void> {
    await this.#symbols.epoll_sleep(epoll, null, 1, ms);
  }

  /** Makes an io_uring. @param params `struct io_uring_params`, which the kernel completes. */
  ioUringSetup(entries: number, params: Uint8Array<ArrayBuffer>): number {
    return this.#result(this.#symbols.io_uring_setup(SYS_IO_URING_SETUP, entries, params));
  }

  /** Begins with `submit` operations, waits until `complete` are done, and returns how many it has begun with. */
  ioUringEnter(ring: number, submit: number, complete: number): number {
    const flags = IORING_ENTER_GETEVENTS;
    return this.#result(
      this.#symbols.io_uring_enter(SYS_IO_URING_ENTER, ring, submit, complete, flags, null, 0),
    );
  }

  /** Maps memory of the kernel that belongs to a descriptor; `undefined` if that fails. */
  mapShared(descriptor: number, offset: number, words: number): SharedWords | undefined {
    const bytes = words * Int32Array.BYTES_PER_ELEMENT;
    const protection = PROT_READ | PROT_WRITE;
    const memory = this.#symbols.mmap(null, bytes, protection, MAP_SHARED | MAP_POPULATE, descriptor, offset);
    if (memory === null || Deno.UnsafePointer.value(memory) === MAP_FAILED) return undefined;
    return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(memory, bytes));
  }

  /** Unmaps what `mapShared` has returned: it must not be used from then on. */
  unmapShared(words: SharedWords): void {
    this.#symbols.munmap(words, words.byteLength);
  }

  eventfd(): number {
    return this.#result(this.#symbols.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  }

  /** Returns freed memory to the system, if the C library can. Takes up to some milliseconds. */
  trimMemory(): void {
    this.#symbols.malloc_trim?.(0);
  }

  /** Makes an eventfd readable. */
  raise(eventfd: number): number {
    return this.#result(this.#symbols.write(eventfd, ONE, 8));
  }

  /** Makes an eventfd unreadable. */
  lower(eventfd: number): number {
    return this.#result(this.#symbols.read(eventfd, new Uint8Array(8), 8));
  }

  /** Resolves a host name on another thread. @throws {Error} "failed to lookup …", as Deno says it. */
  lookUp(hostname: string): Promise<AddressList> {
    return lookUp(this.#symbols, hostname);
  }

  /** Resolves a host name; waits for the answer. @throws {Error} "failed to lookup …", as Deno says it. */
  lookUpSync(hostname: string): AddressList {
    return lookUpSync(this.#symbols, hostname);
  }

  /** Nothing may come between the call and this: the number belongs to the thread's last failure. */
  #result(value: number): number {
    return value >= 0 ? value : -this.#errno.getInt32();
  }

  /**
   * Whether a call on a socket can have failed with this number. The engine may do work of its own between the call and
   * the look at the number, for example install optimized code, and a system call that fails in it leaves its number here:
   * a connect that is in progress then seems to have failed with ENOENT. Such a call is made again. It had no effect, or
   * what it began is found by the repetition.
   */
  #isBelievable(errno: number, attempt: number): boolean {
    return attempt === MAX_ATTEMPTS || SOCKET_ERRORS.has(errno);
  }
}

const MAX_ATTEMPTS = 3;
/** -1 as a pointer. */
const MAP_FAILED = 2n ** 64n - 1n;
const [EALREADY, EISCONN, EINPROGRESS] = [errnoOf("EALREADY"), errnoOf("EISCONN"), errnoOf("EINPROGRESS")];
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/** Memory that is shared between threads may be passed as well: only the type of foreign calls excludes it. */
function foreign(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
