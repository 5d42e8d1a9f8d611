import { assertEquals } from "@std/assert";
import { RequestReplyClient } from "../../../loadtest/generate/request_reply_client.ts";
import { echoRequest } from "../../../loadtest/generate/request_reply.ts";
import { dialBySignal } from "../../../socket/dial_by_signal.ts";
import type { Network } from "../../../socket/network.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";

Deno.test("RequestReplyClient.stop() ends a client whose connection has just opened", {
  permissions: "none",
}, async () => {
  const clock = new VirtualClock();
  const memory = new MemoryNetwork({ clock });
  const listener = memory.listen({ port: 1 });
  const network: Network = {
    listen: (options) => memory.listen(options),
    connect: (options) => memory.connect(options),
    dial: (options, receiver) =>
      dialBySignal(memory, options, {
        connected(transport) {
          receiver.connected(transport);
          client.stop(); // Before anybody has seen that it is open.
        },
        connectFailed: (cause) => receiver.connectFailed(cause),
      }),
  };
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(name);
  const client = new RequestReplyClient({
    hostname: "127.0.0.1",
    port: 1,
    network,
    clock,
    random: () => 0.5,
    text: "hello",
    timeout: 10_000,
    limits: {},
    requestReply: echoRequest("hello", { maxLine: 100, isMessage: () => true }),
    observer: {
      dialing: note("dialing"),
      notConnected: note("notConnected"),
      connected: note("connected"),
      sent: note("sent"),
      acknowledged: note("acknowledged"),
      complained: note("complained"),
      closed: (_connection, reason) => void seen.push(`closed: ${reason.type}`),
    },
  });
  await clock.runUntil(client.run());
  (await listener.accept()).close();
  listener.close();
  assertEquals([seen, clock.now(), memory.stats().sockets], [
    ["dialing", "connected", "closed: local"],
    0,
    0,
  ]);
});
