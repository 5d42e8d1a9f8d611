import { assertEquals, assertRejects } from "@std/assert";
import { EventLoop } from "../../native/event_loop.ts";
import { Handle } from "../../native/handle.ts";
import { systemClock } from "../../socket/tcp.ts";
import { foreign, openSpy } from "../_util/native/native.ts";

Deno.test("EventLoop closes only when no descriptor is open, and when it has stopped", foreign, async () => {
  const spy = openSpy();
  const loop = new EventLoop(spy, systemClock);
  class Idle extends Handle {
    close = () => this.closeDescriptor();
    protected wanted = () => 0;
    protected readable = () => {};
    protected writable = () => {};
  }
  const handle = new Idle(loop, spy.eventfd(), 0);
  await assertRejects(() => loop[Symbol.asyncDispose](), TypeError, "1 descriptor open");
  // Without io_uring, it is not taken.
  const batched = loop.sends.add(handle.descriptor, new Uint8Array(1), 1, false, { handleSent() {} });
  if (batched === 0) loop.sends.cancel(batched);
  loop.sends.submit();
  handle.close();
  loop.begin();
  loop.end();
  await loop[Symbol.asyncDispose]();
  assertEquals(loop.stats().running, false);
  // The handle's descriptor, io_uring's, eventfd, and epoll.
  const count = batched === 0 ? 4 : 3;
  assertEquals([new Set(spy.closed).size, spy.closed.length], [count, count]);
  spy.unload();
});
