/** Opening the C library. @module */
import type { Arch } from "./epoll_events.ts";
import { SYMBOLS } from "./symbols.ts";

/** The C library with the functions of `SYMBOLS`. */
export type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

const LIBRARIES: Readonly<Record<Arch, readonly string[]>> = {
  x86_64: ["libc.so.6", "libc.musl-x86_64.so.1"],
  aarch64: ["libc.so.6", "libc.musl-aarch64.so.1"],
};

/**
 * Opens the C library of this system.
 *
 * @throws {Deno.errors.NotSupported} If this is not Linux on x86-64 or arm64, or no known C library is found.
 * @throws {Deno.errors.NotCapable} If foreign functions are not allowed.
 */
export function openLibrary(): { readonly library: Library; readonly arch: Arch } {
  const { os, arch } = Deno.build;
  if (os !== "linux") throw new Deno.errors.NotSupported(unsupported(`${os} on ${arch}`));
  const failures: string[] = [];
  for (const name of LIBRARIES[arch]) {
    try {
      return { library: Deno.dlopen(name, SYMBOLS), arch };
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        throw new Deno.errors.NotCapable(NOT_ALLOWED, { cause: error });
      }
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Deno.errors.NotSupported(unsupported(`this system (${failures.join("; ")})`));
}

const NOT_ALLOWED = "Cannot use the epoll transport: foreign functions are not allowed; " +
  "run again with --allow-ffi, or with the transport of Deno, which is the default";

function unsupported(system: string): string {
  return `Cannot use the epoll transport on ${system}: expected Linux on x86_64 or aarch64 with glibc or musl; ` +
    "run with the transport of Deno, which is the default";
}
