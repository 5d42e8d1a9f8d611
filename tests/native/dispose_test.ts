import { assertEquals, assertRejects } from "@std/assert";
import { EventLoop } from "../../native/event_loop.ts";
import { systemClock } from "../../socket/tcp.ts";
import { EventHandle } from "../_util/native/event_handle.ts";
import { foreign, openSpy } from "../_util/native/native.ts";

Deno.test("EventLoop closes only when no descriptor is open, and when it has stopped", foreign, async () => {
  const spy = openSpy();
  const loop = new EventLoop(spy, systemClock);
  const handle = new EventHandle(loop, 0);
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
