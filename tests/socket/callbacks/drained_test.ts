import { assertEquals, assertGreater } from "@std/assert";
import { lineCodec, TcpServer, TcpSocket } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";

const permissions = "none";
const LINE = "x".repeat(49);

/** Sends until `send` returns `false`. Returns the number of lines. */
function fill(send: (line: string) => boolean): number {
  let sent = 1;
  while (send(LINE)) sent++;
  return sent;
}

function startPair(options: { serverDrained?: (id: number) => void; socketDrained?: () => void }) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, capacity: 100 });
  const settings = { codec: lineCodec(), network, clock, limits: { highWater: 400 } };
  const server = new TcpServer(settings);
  const socket = new TcpSocket(settings);
  const heard = { server: 0, socket: 0 };
  const errors: Error[] = [];
  const error = (error: Error) => void errors.push(error);
  server.listen("127.0.0.1", 7, {
    data: () => void heard.server++,
    drained: (id) => options.serverDrained?.(id),
    error,
  });
  socket.connect("127.0.0.1", 7, {
    data: () => void heard.socket++,
    drained: () => options.socketDrained?.(),
    error,
  });
  return { clock, server, socket, heard, errors };
}

Deno.test("TcpServer calls drained() once when a client has caught up", { permissions }, async () => {
  const drained: number[] = [];
  const { clock, server, socket, heard, errors } = startPair({ serverDrained: (id) => drained.push(id) });
  await clock.advance(0);
  const sent = fill((line) => server.send(1, line));
  assertGreater(sent, 8);
  assertEquals(server.send(1, LINE), false);
  assertEquals(drained, []);
  await clock.advance(100);
  assertEquals([drained, heard.socket, errors], [[1], sent + 1, []]);
  // It fires again after the next time that sending has to stop.
  const more = fill((line) => server.send(1, line));
  await clock.advance(100);
  assertEquals([drained, heard.socket], [[1, 1], sent + 1 + more]);
  await clock.runUntil(Promise.all([server.stop(), socket.disconnect()]));
});

Deno.test("TcpSocket calls drained() when the server has caught up", { permissions }, async () => {
  let drained = 0;
  const { clock, server, socket, heard, errors } = startPair({ socketDrained: () => drained++ });
  await clock.advance(0);
  const sent = fill((line) => socket.send(line));
  await clock.advance(100);
  assertEquals([drained, heard.server, errors], [1, sent, []]);
  await clock.runUntil(Promise.all([server.stop(), socket.disconnect()]));
});

Deno.test("TcpServer does not call drained() when send() never returned false", { permissions }, async () => {
  const drained: number[] = [];
  const { clock, server, socket, heard } = startPair({ serverDrained: (id) => drained.push(id) });
  await clock.advance(0);
  assertEquals(server.send(1, LINE), true);
  await clock.advance(100);
  assertEquals([drained, heard.socket], [[], 1]);
  await clock.runUntil(Promise.all([server.stop(), socket.disconnect()]));
});

Deno.test(
  "TcpServer does not call drained() when the server stops first",
  { permissions },
  async () => {
    const drained: number[] = [];
    const { clock, server, socket, errors } = startPair({ serverDrained: (id) => drained.push(id) });
    await clock.advance(0);
    fill((line) => server.send(1, line));
    const stopped = server.stop();
    await clock.runUntil(Promise.all([stopped, socket.disconnect()]));
    assertEquals([drained, errors], [[], []]);
  },
);

Deno.test("TcpServer passes what drained() throws to error()", { permissions }, async () => {
  const failure = new Error("Callback failed");
  const { clock, server, socket, errors } = startPair({
    serverDrained() {
      throw failure;
    },
  });
  await clock.advance(0);
  fill((line) => server.send(1, line));
  await clock.advance(100);
  assertEquals(errors, [failure]);
  await clock.runUntil(Promise.all([server.stop(), socket.disconnect()]));
});
