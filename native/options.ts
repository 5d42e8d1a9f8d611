/** Socket options of a native network: checked once, set on each socket. @module */
import {
  AF_UNIX,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from "./abi.ts";
import { checked } from "./event_loop.ts";
import type { Libc } from "./libc.ts";

/** When the kernel probes whether a silent peer is still there. */
export interface KeepAliveOptions {
  /** Silence before the first probe, s, from 1 to 32,767. */
  idle: number;
  /** Time between probes, s, from 1 to 32,767. */
  interval: number;
  /** Unanswered probes after which the connection fails with `ETIMEDOUT`, from 1 to 127. Default 3. */
  count?: number;
}

/** Options of the sockets of a native network. */
export interface SocketOptions {
  /** Probes silent peers. Default: no probes. Has no effect on Unix sockets. */
  keepAlive?: KeepAliveOptions;
  /**
   * Longest time that sent bytes may stay unacknowledged, ms, before the connection fails with `ETIMEDOUT`
   * (`TCP_USER_TIMEOUT`). 0 means the kernel's default, which is minutes. Default 0. Has no effect on Unix sockets.
   */
  userTimeout?: number;
  /** Bytes of the kernel's send buffer (`SO_SNDBUF`); the kernel doubles them. Default: the kernel tunes it. */
  sendBuffer?: number;
  /** Bytes of the kernel's receive buffer (`SO_RCVBUF`); the kernel doubles them. Default: the kernel tunes it. */
  receiveBuffer?: number;
  /** Sends small writes immediately (`TCP_NODELAY`). Default `true`. Has no effect on Unix sockets. */
  noDelay?: boolean;
}

/** One option as `setsockopt` takes it. Not a tuple: to take one apart for each socket makes an iterator. */
interface Setting {
  readonly level: number;
  readonly option: number;
  readonly value: number;
}

/** Sets the options of new sockets. */
export class SocketConfigurator {
  readonly #buffers: readonly Setting[];
  readonly #tcp: readonly Setting[];

  /** @throws {RangeError} If a value is out of its range. */
  constructor(options: SocketOptions) {
    const { keepAlive, userTimeout = 0, sendBuffer, receiveBuffer, noDelay = true } = options;
    const buffers: Setting[] = [];
    const tcp: Setting[] = [];
    const set = (settings: Setting[], level: number, option: number, value: number): void => {
      settings.push({ level, option, value });
    };
    if (sendBuffer !== undefined) set(buffers, SOL_SOCKET, SO_SNDBUF, positive("sendBuffer", sendBuffer));
    if (receiveBuffer !== undefined) {
      set(buffers, SOL_SOCKET, SO_RCVBUF, positive("receiveBuffer", receiveBuffer));
    }
    if (noDelay) set(tcp, IPPROTO_TCP, TCP_NODELAY, 1);
    if (keepAlive !== undefined) {
      const { idle, interval, count = 3 } = keepAlive;
      set(tcp, SOL_SOCKET, SO_KEEPALIVE, 1);
      set(tcp, IPPROTO_TCP, TCP_KEEPIDLE, positive("keepAlive.idle", idle, 32_767));
      set(tcp, IPPROTO_TCP, TCP_KEEPINTVL, positive("keepAlive.interval", interval, 32_767));
      set(tcp, IPPROTO_TCP, TCP_KEEPCNT, positive("keepAlive.count", count, 127));
    }
    if (userTimeout !== 0) set(tcp, IPPROTO_TCP, TCP_USER_TIMEOUT, positive("userTimeout", userTimeout));
    this.#buffers = buffers;
    this.#tcp = tcp;
  }

  /**
   * Sets the buffers' sizes, which TCP has to know before it connects or listens.
   *
   * @throws {Error} The error of the OS.
   */
  setBuffers(libc: Libc, descriptor: number): void {
    apply(libc, descriptor, this.#buffers);
  }

  /**
   * Sets everything else. Options that do not suit a connection that its peer has reset are skipped, because its first
   * read reports the reset.
   */
  setTcpOptions(libc: Libc, descriptor: number, family: number): void {
    if (family === AF_UNIX) return;
    for (const { level, option, value } of this.#tcp) libc.setOption(descriptor, level, option, value);
  }
}

function apply(libc: Libc, descriptor: number, settings: readonly Setting[]): void {
  for (const { level, option, value } of settings) checked(libc.setOption(descriptor, level, option, value));
}

const MOST = 2 ** 30;

function positive(name: string, value: number, most = MOST): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from 1 to ${most}`);
}
