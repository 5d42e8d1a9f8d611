import { assertEquals } from "@std/assert";
import { dialBySignal } from "../../socket/dial_by_signal.ts";
import type { ConnectReceiver, Transport } from "../../socket/network.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";

const pure = { permissions: "none" } as const;

/** Notes the calls of a receiver. */
function noting(calls: unknown[]): ConnectReceiver {
  return {
    connected: (transport) => void calls.push(transport),
    connectFailed: (cause) => void calls.push(cause),
  };
}

Deno.test("dialBySignal() passes the result of connect() on", pure, async () => {
  const network = new MemoryNetwork();
  const listener = network.listen({ port: 1 });
  const calls: unknown[] = [];
  dialBySignal(network, { port: 1 }, noting(calls));
  const far = await listener.accept();
  dialBySignal(network, { port: 2 }, noting(calls));
  await network.connect({ port: 2 }).catch(() => {});
  assertEquals(calls.map((call) => call instanceof Error), [false, true]);
  for (const each of [far, calls[0] as Transport, listener]) each.close();
});

Deno.test("dialBySignal() closes a connection that opens while it is canceled", pure, async () => {
  const opened = Promise.withResolvers<Transport>();
  let closed = 0;
  let signal: AbortSignal | undefined;
  const calls: unknown[] = [];
  const connect = (options: { signal?: AbortSignal }): Promise<Transport> => {
    signal = options.signal;
    return opened.promise;
  };
  dialBySignal({ connect }, { port: 1 }, noting(calls)).cancel();
  opened.resolve({ close: () => void closed++ } as Transport);
  await opened.promise;
  assertEquals([signal?.aborted, closed, calls], [true, 1, []]);
});
