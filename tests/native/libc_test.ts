import { assertEquals } from "@std/assert";
import { EpollEvents } from "../../native/epoll_events.ts";
import { errnoOf } from "../../native/errno.ts";
import { Libc } from "../../native/libc.ts";
import { foreign, libc } from "../_util/native/native.ts";

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

Deno.test("Libc.epollWait() waits with ppoll for less than a ms, and for whole ms with epoll_wait", () => {
  const calls: (readonly [name: string, time: number | bigint])[] = [];
  const symbols = {
    __errno_location: () => Deno.UnsafePointer.of(new Int32Array(1)),
    ppoll: (_polled: Uint8Array, _count: number, time: Uint8Array) => {
      calls.push(["ppoll", new BigInt64Array(time.buffer)[1]!]);
      return 0;
    },
    epoll_wait: (_epoll: number, _events: Uint8Array, _most: number, ms: number) => {
      calls.push(["epoll_wait", ms]);
      return 0;
    },
  };
  const libc = new Libc({ symbols, close: () => {} } as unknown as Library, "x86_64");
  const events = new EpollEvents(1, "x86_64");
  libc.epollWait(0, events);
  for (const ns of [1, 999_999, 1_000_000, 1_000_001, 4_000_000]) libc.epollWait(0, events, ns);
  assertEquals(calls, [
    ["epoll_wait", 0],
    ["ppoll", 1n],
    ["epoll_wait", 0],
    ["ppoll", 999_999n],
    ["epoll_wait", 0],
    ["epoll_wait", 1],
    ["epoll_wait", 2],
    ["epoll_wait", 4],
  ]);
});

/** Functions for memory, of the same C library. */
function openAllocator() {
  const library = Deno.dlopen("libc.so.6", {
    malloc: { parameters: ["u32"], result: "pointer" },
    free: { parameters: ["pointer"], result: "void" },
    mincore: { parameters: ["u64", "u64", "buffer"], result: "i32" },
  });
  return { symbols: library.symbols, close: () => library.close() };
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

Deno.test("Libc.trimMemory() returns freed memory to the system", foreign, () => {
  const PAGE = 4096;
  const BLOCK = 64 * 1024;
  const { symbols: c, close } = openAllocator();
  const blocks = Array.from({ length: 256 }, () => c.malloc(BLOCK)!);
  for (const block of blocks) new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(block, BLOCK)).fill(1);
  const last = blocks.pop(); // Above the others, it keeps the allocator from returning them by itself.
  for (const block of blocks) c.free(block);

  /** Pages of the freed blocks that are in memory. */
  const resident = (): number => {
    let pages = 0;
    const flags = new Uint8Array(BLOCK / PAGE - 1);
    for (const block of blocks) {
      const start = Deno.UnsafePointer.value(block) + BigInt(PAGE - 1) & ~BigInt(PAGE - 1);
      // Fails if the pages are not mapped anymore: then none is in memory.
      if (c.mincore(start, BigInt(flags.length * PAGE), flags) !== 0) continue;
      pages += flags.filter((flag) => (flag & 1) === 1).length;
    }
    return pages;
  };
  const before = resident();
  libc!.trimMemory();
  const after = resident();
  c.free(last!);
  close();
  // Other threads of this process may use some of it again.
  assertEquals(after < before / 2, true, `${before} pages, ${after} after that`);
});

Deno.test("Libc.trimMemory() does nothing where the C library has no such function", () => {
  libcOf([]).libc.trimMemory();
});
