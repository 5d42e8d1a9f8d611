/** Servers whose accepting fails permanently: the failure is visible even if it is not awaited. */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { startRelay } from "../../../relay/mod.ts";
import { startEcho } from "../../../services/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { systemError } from "../../../internal/os_errors.ts";

const permissions = "none";

/** Collects unhandled rejections, which would otherwise end the program. */
function nextUnhandled(): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    resolve(event.reason);
  }, { once: true });
  return promise;
}

const error = systemError(new Error("Bad file descriptor"), "EBADF");

type Start = typeof startRelay | typeof startEcho;

function open(start: Start): { network: MemoryNetwork; server: ReturnType<Start> } {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  return { network, server: start({ network, clock }) };
}

async function assertUnhandled(start: Start): Promise<void> {
  const { network } = open(start);
  const unhandled = nextUnhandled();
  network.failAccept(error);
  assertStrictEquals(await unhandled, error);
  assertEquals(network.stats().listeners, 0);
}

async function assertHandled(start: Start): Promise<void> {
  const { network, server } = open(start);
  const failed = assertRejects(() => server.finished);
  network.failAccept(error);
  assertStrictEquals(await failed, error);
  assertStrictEquals(await assertRejects(() => server.close()), error);
  assertStrictEquals(await assertRejects(() => server.shutdown()), error);
}

Deno.test(
  "RelayServer.finished causes an unhandled rejection when accepting fails and it is not awaited",
  { permissions },
  () => assertUnhandled(startRelay),
);

Deno.test(
  "RelayServer.finished rejects without an unhandled rejection when accepting fails and it is awaited",
  { permissions },
  () => assertHandled(startRelay),
);

Deno.test(
  "ListenerService.finished causes an unhandled rejection when accepting fails and it is not awaited",
  { permissions },
  () => assertUnhandled(startEcho),
);

Deno.test(
  "ListenerService.finished rejects without an unhandled rejection when accepting fails and it is awaited",
  { permissions },
  () => assertHandled(startEcho),
);
