import { assertEquals } from "@std/assert";
import { errnoOf } from "../../native/errno.ts";
import { Libc } from "../../native/libc.ts";

type Library = ConstructorParameters<typeof Libc>[0];

/** A C library whose calls give these results, in turn; a negative one stands for a failure with that number. */
function libcOf(results: readonly number[]): { readonly libc: Libc; readonly calls: () => number } {
  const errno = new Int32Array(1);
  let calls = 0;
  const call = (): number => {
    const result = results[calls++]!;
    if (result >= 0) return result;
    errno[0] = -result;
    return -1;
  };
  const symbols = {
    __errno_location: () => Deno.UnsafePointer.of(errno),
    accept4: call,
    connect: call,
    recv: call,
    send: call,
  };
  const library = { symbols, close: () => {} } as unknown as Library;
  return { libc: new Libc(library, "x86_64"), calls: () => calls };
}

const [ENOENT, EAGAIN, EALREADY, EISCONN, EINPROGRESS, ECONNRESET] = [
  "ENOENT",
  "EAGAIN",
  "EALREADY",
  "EISCONN",
  "EINPROGRESS",
  "ECONNRESET",
].map((name) => -errnoOf(name)) as [number, number, number, number, number, number];

const METHODS = {
  accept: (libc: Libc) => libc.accept(3),
  connect: (libc: Libc) => libc.connect(3, new Uint8Array(16)),
  receive: (libc: Libc) => libc.receive(3, new Uint8Array(16)),
  send: (libc: Libc) => libc.send(3, new Uint8Array(16), 16),
};

for (const [name, method] of Object.entries(METHODS)) {
  Deno.test(`Libc.${name}() repeats a call that failed with an error that sockets do not have`, () => {
    for (
      const [results, expected, made] of [
        [[7], 7, 1],
        [[ECONNRESET, 7], ECONNRESET, 1],
        [[ENOENT, 7], 7, 2],
        [[ENOENT, EAGAIN, 7], EAGAIN, 2],
        [[ENOENT, ENOENT, ENOENT, 7], ENOENT, 3],
      ] as const
    ) {
      const { libc, calls } = libcOf(results);
      assertEquals([method(libc), calls()], [expected, made]);
    }
  });
}

Deno.test("Libc.connect() finds what the call that it repeats has begun", () => {
  assertEquals(METHODS.connect(libcOf([ENOENT, EALREADY]).libc), EINPROGRESS);
  assertEquals(METHODS.connect(libcOf([ENOENT, EISCONN]).libc), EINPROGRESS);
  assertEquals(METHODS.connect(libcOf([EALREADY]).libc), EALREADY);
});
