import { assertEquals, assertRejects } from "@std/assert";
import { EventLoop } from "../../native/event_loop.ts";
import { Handle } from "../../native/handle.ts";
import { systemClock } from "../../socket/tcp.ts";
import { foreign, libc } from "../_util/native/native.ts";

Deno.test("EventLoop closes only when no descriptor is open, and when it has stopped", foreign, async () => {
  const before = libc!.eventfd();
  libc!.close(before);
  const loop = new EventLoop(libc!, systemClock);
  class Idle extends Handle {
    close = () => this.closeDescriptor();
    protected wanted = () => 0;
    protected readable = () => {};
    protected writable = () => {};
  }
  const handle = new Idle(loop, libc!.eventfd());
  await assertRejects(() => loop[Symbol.asyncDispose](), TypeError, "1 descriptor open");
  handle.close();
  loop.begin();
  loop.end();
  await loop[Symbol.asyncDispose]();
  assertEquals(loop.stats().running, false);
  // The numbers of its descriptors are free again.
  const after = libc!.eventfd();
  libc!.close(after);
  assertEquals(after, before);
});
