import { assertEquals, assertMatch } from "@std/assert";
import { HelloClient } from "../../../services/hello/hello_client.ts";
import { Greeting } from "../../../services/hello/response.ts";
import { rawCodec } from "../../../socket/codecs/raw_codec.ts";
import { Connection } from "../../../socket/connection.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { pure } from "../../_util/permissions.ts";

function start(delay: number) {
  const clock = new VirtualClock();
  const transport = new ReadyTransport();
  const connection = new Connection(transport, new ConnectionSettings({ codec: rawCodec, clock }));
  const state = { clock, delay, greeting: new Greeting(), delayed: 0 };
  return { clock, transport, connection, state, served: HelloClient.serve(connection, state) };
}

Deno.test("HelloClient answers the first bytes in the same turn when there is no delay", pure, async () => {
  const { clock, transport, connection, state, served } = start(0);
  transport.deliver("x");
  assertEquals(state.delayed, 0);
  await served;
  await clock.advance(0);
  assertMatch(transport.writes.join(""), /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nHello World!\n$/);
  connection.abort();
});

Deno.test("HelloClient answers after the delay, and reads no more in it", pure, async () => {
  const { clock, transport, connection, state, served } = start(100);
  transport.deliver("GET / HTTP/1.1\r\n");
  await clock.advance(99);
  assertEquals([state.delayed, transport.receiver, transport.writes], [1, undefined, []]);
  await clock.advance(1);
  await served;
  assertEquals([state.delayed, transport.writes.length], [0, 1]);
  connection.abort();
});

Deno.test("HelloClient drops its timer when the connection is cut off during the delay", pure, async () => {
  const { clock, transport, connection, state, served } = start(100);
  transport.deliver("x");
  assertEquals([state.delayed, clock.timers], [1, 1]);
  connection.abort();
  await served;
  assertEquals([state.delayed, clock.timers], [0, 0]);
});

Deno.test("HelloClient sends nothing to a client that finishes without a request", pure, async () => {
  const { transport, connection, served } = start(0);
  transport.deliverEnd();
  await served;
  assertEquals(transport.writes, []);
  connection.abort();
});

Deno.test("HelloClient closes for a framing error after its response to TLS", pure, async () => {
  const { clock, transport, connection, served } = start(100);
  transport.deliver(Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3));
  await served;
  await clock.advance(0);
  assertMatch(transport.writes.join(""), /^HTTP\/1.1 400 Bad Request\r\n/);
  transport.deliverEnd();
  const reason = await connection.closed;
  assertEquals([reason.type, reason.type === "framing" && reason.error.code], ["framing", "tls"]);
});
