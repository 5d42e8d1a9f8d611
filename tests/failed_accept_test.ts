/** Servers whose accepting fails for good: whoever runs one meets it, though nobody asks. */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { startRelay } from "../relay/mod.ts";
import { startEcho } from "../services/mod.ts";
import { MemoryNetwork, VirtualClock } from "../socket/mod.ts";
import { systemError } from "../socket/socket_errors.ts";

const permissions = "none";

/** What the runtime says of a rejection that nobody handles, in place of ending the program. */
function nextUnhandled(): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    resolve(event.reason);
  }, { once: true });
  return promise;
}

for (const [name, start] of Object.entries({ RelayServer: startRelay, ListenerService: startEcho })) {
  const open = () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    return { network, server: start({ network, clock }) };
  };
  const error = systemError(new Error("Bad file descriptor"), "EBADF");

  Deno.test(
    `${name}.closed that nobody waits for is unhandled when accepting fails`,
    { permissions },
    async () => {
      const { network } = open();
      const unhandled = nextUnhandled();
      network.failAccept(error);
      assertStrictEquals(await unhandled, error);
      assertEquals(network.stats().listeners, 0);
    },
  );

  Deno.test(
    `${name}.closed rejects once, for who waits for it, when accepting fails`,
    { permissions },
    async () => {
      const { network, server } = open();
      const failed = assertRejects(() => server.closed);
      network.failAccept(error);
      assertStrictEquals(await failed, error);
      assertStrictEquals(await assertRejects(() => server.close()), error);
      assertStrictEquals(await assertRejects(() => server.drain()), error);
    },
  );
}
