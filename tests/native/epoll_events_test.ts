import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { EPOLLERR, EpollEvents, EPOLLIN, EPOLLOUT } from "../../native/epoll_events.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("EpollEvents has the kernel's layout: packed on x86-64, aligned on arm64", pure, () => {
  const packed = new EpollEvents(2, "x86_64");
  packed.set(1, EPOLLIN | EPOLLOUT, 0x0a0b, 0x0c0d);
  assertEquals(packed.bytes.length, 24);
  assertEquals([...packed.bytes.subarray(12)], [5, 0, 0, 0, 0x0b, 0x0a, 0, 0, 0x0d, 0x0c, 0, 0]);
  const aligned = new EpollEvents(2, "aarch64");
  aligned.set(1, EPOLLIN | EPOLLOUT, 0x0a0b, 0x0c0d);
  assertEquals(aligned.bytes.length, 32);
  assertEquals([...aligned.bytes.subarray(16)], [5, 0, 0, 0, 0, 0, 0, 0, 0x0b, 0x0a, 0, 0, 0x0d, 0x0c, 0, 0]);
});

Deno.test("EpollEvents returns what was set, for any event on both processors", pure, () => {
  const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const event = fc.tuple(fc.integer({ min: 0, max: EPOLLERR }), fc.nat(2 ** 31 - 1), int);
  fc.assert(
    fc.property(fc.array(event, { minLength: 1 }), fc.constantFrom("x86_64", "aarch64"), (all, arch) => {
      const events = new EpollEvents(all.length, arch);
      all.forEach(([bits, descriptor, generation], index) => events.set(index, bits, descriptor, generation));
      const read = all.map((
        _,
        index,
      ) => [events.bits(index), events.descriptor(index), events.generation(index)]);
      assertEquals(read, all);
    }),
  );
});
