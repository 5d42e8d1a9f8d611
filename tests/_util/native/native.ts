/** Helpers for tests of the native network, which are skipped except on Linux. */
import { IoUring } from "../../../native/io_uring.ts";
import { Libc } from "../../../native/libc.ts";
import { type NativeNetwork, nativeNetwork } from "../../../native/mod.ts";
import { NativeTransport } from "../../../native/transport.ts";
import { until } from "../until.ts";
import type { Transport } from "../../../socket/network.ts";

/** Options of a test that calls foreign functions. */
export const foreign = { permissions: { ffi: true }, ignore: Deno.build.os !== "linux" } as const;

// Opened outside the tests, because both stay open.
export const network: NativeNetwork | undefined = Deno.build.os === "linux" ? nativeNetwork() : undefined;
export const libc: Libc | undefined = Deno.build.os === "linux" ? Libc.open() : undefined;

/** Options of a test that needs io_uring as well, which some systems do not allow. */
export const ring = { ...foreign, ignore: libc === undefined || !hasIoUring(libc) } as const;

function hasIoUring(libc: Libc): boolean {
  const ring = IoUring.open(libc, 1);
  ring?.close();
  return ring !== undefined;
}

// The thread that slept for the sockets of a test is an operation of that test until it has woken up, which takes a while
// on a busy machine. It stays asleep while something waits: that is a leak, which the sanitizer reports.
Deno.test.afterEach(() => until(() => network === undefined || isAtRest(network)));

function isAtRest(network: NativeNetwork): boolean {
  const { running, waiting } = network.stats();
  return !running || waiting > 0;
}

/** Returns an option of a transport's socket. */
export function optionOf(transport: Transport, level: number, option: number): number {
  if (!(transport instanceof NativeTransport)) {
    throw new TypeError("Cannot read an option: not a native transport");
  }
  return libc!.getOption(transport.descriptor, level, option);
}

/** A C library that also notes which descriptors it closes: their numbers may have other owners right afterwards. */
export class SpyLibc extends Libc {
  readonly closed: number[] = [];

  override close(descriptor: number): void {
    this.closed.push(descriptor);
    super.close(descriptor);
  }
}

/** Opens a {@linkcode SpyLibc}, which the test must unload. */
export function openSpy(): SpyLibc {
  const spy = SpyLibc.open();
  if (!(spy instanceof SpyLibc)) throw new TypeError("Cannot spy: got another class");
  return spy;
}
