// Every bus must pass these. What may differ (losses, order) is up to membership and the router to repair.
import { assertEquals } from "@std/assert";
import type { Bus } from "../../../relay/cluster/bus.ts";
import { LocalBus } from "../../../relay/cluster/local_bus.ts";
import { MemoryBusHub } from "../../../relay/cluster/memory_bus.ts";
import { NatsBus } from "../../../relay/cluster/nats_bus.ts";
import { type Network, systemClock, systemNetwork, type Transport } from "../../../socket/mod.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { BusRecorder } from "../../_util/network/bus_recorder.ts";
import { HAS_NATS, NatsServer } from "../../_util/programs/nats_server.ts";
import { TempDir } from "../../_util/temp_dir.ts";
import { until } from "../../_util/until.ts";

/** Options for tests with a NATS server. A server that does not come up must not block the run. */
const NATS = { ignore: !HAS_NATS, timeout: 30_000 } as const;

/** A place where nodes meet. */
interface Meeting extends AsyncDisposable {
  join(node: string): Bus;
}

const MEETINGS: Readonly<Record<string, () => Meeting | Promise<Meeting>>> = {
  memory: () => {
    const hub = new MemoryBusHub({ clock: systemClock });
    return { join: (node) => hub.join(node), [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  local: () => {
    const folder = new TempDir();
    return {
      join: (node) => new LocalBus({ node, folder: folder.path }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  },
  nats: async () => {
    const server = await NatsServer.start();
    return {
      join: (node) => new NatsBus({ node, servers: [server.url] }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

for (const [kind, meet] of Object.entries(MEETINGS)) {
  const options = kind === "nats" ? NATS : {};

  Deno.test(
    `Bus delivers to one node, and to all nodes, in any order of joining (${kind})`,
    options,
    async () => {
      await using meeting = await meet();
      await using a = new BusRecorder(meeting.join("a"));
      await using b = new BusRecorder(meeting.join("b"));
      await using c = new BusRecorder(meeting.join("c"));
      for (const { bus } of [a, b, c]) await bus.connect();
      assertEquals(a.bus.status, "connected");
      c.bus.publish("from c");
      await Promise.all([a.until("from c"), b.until("from c")]);
      a.bus.send("c", "a to c");
      a.bus.publish("from a");
      await Promise.all([b.until("from a"), c.until("from a"), c.until("a to c")]);
      assertEquals(b.events, ["status connected", "from c", "from a"]);
    },
  );

  Deno.test(`Bus carries any text up to its limit (${kind})`, options, async () => {
    await using meeting = await meet();
    await using a = new BusRecorder(meeting.join("a"));
    await using b = new BusRecorder(meeting.join("b"));
    await a.bus.connect();
    await b.bus.connect();
    const texts = ["", "two\nlines", "\u{1F600} é \0", "x".repeat(a.bus.maxMessage)];
    b.bus.publish("here");
    await a.until("here");
    for (const text of texts) assertEquals(a.bus.send("b", text), true);
    await b.until(texts[3]!);
    assertEquals(b.events.slice(1), texts);
  });

  Deno.test(
    `Bus.close() ends in status closed, and sends nothing after it (${kind})`,
    options,
    async () => {
      await using meeting = await meet();
      const a = new BusRecorder(meeting.join("a"));
      await using b = new BusRecorder(meeting.join("b"));
      await a.bus.connect();
      await b.bus.connect();
      b.bus.publish("here");
      await a.until("here");
      await a.bus.close();
      await a.bus.close();
      assertEquals(a.bus.status, "closed");
      assertEquals(a.bus.send("b", "late"), false);
    },
  );
}

Deno.test("LocalBus reports a node whose links break", async () => {
  await using meeting = await MEETINGS.local!();
  await using a = new BusRecorder(meeting.join("a"));
  const b = new BusRecorder(meeting.join("b"));
  await a.bus.connect();
  await b.bus.connect();
  b.bus.publish("here");
  await a.until("here");
  await b.bus.close();
  await a.until("gone b");
  assertEquals(a.bus.send("b", "late"), false);
});

Deno.test("LocalBus connects past the socket of a process that was killed, and removes it", async () => {
  await using folder = new TempDir();
  const listener = Deno.listen({ transport: "unix", path: `${folder.path}/before` });
  await Deno.rename(`${folder.path}/before`, `${folder.path}/dead.sock`);
  listener.close();
  await using a = new BusRecorder(new LocalBus({ node: "a", folder: folder.path }));
  await a.bus.connect();
  assertEquals(await folder.names(), ["a.sock"]);
});

Deno.test("LocalBus reports an error that a message causes, and closes its link", async () => {
  await using folder = new TempDir();
  const errors: string[] = [];
  const onError = (error: Error) => void errors.push(error.message);
  const a = new LocalBus({ node: "a", folder: folder.path, onError });
  const onMessage = () => {
    throw new Error("broken");
  };
  a.receive({ onMessage, onStatus() {}, onGone() {} });
  await a.connect();
  await using b = new BusRecorder(new LocalBus({ node: "b", folder: folder.path }));
  await b.bus.connect();
  b.bus.send("a", "x");
  await b.until("gone a");
  await a.close();
  assertEquals(errors, ["broken"]);
});

/** The system's network, with the connections that were opened over it. */
function recordingNetwork(): Network & { readonly opened: Transport[] } {
  const opened: Transport[] = [];
  return {
    opened,
    listen: (options) => systemNetwork.listen(options),
    async connect(options) {
      const transport = await systemNetwork.connect(options);
      opened.push(transport);
      return transport;
    },
  };
}

Deno.test("LocalBus connects again to a node that lives after their link broke", async () => {
  await using folder = new TempDir();
  const network = recordingNetwork();
  await using a = new BusRecorder(new LocalBus({ node: "a", folder: folder.path }));
  await using b = new BusRecorder(new LocalBus({ node: "b", folder: folder.path, network }));
  await a.bus.connect();
  await b.bus.connect();
  b.bus.publish("here");
  await a.until("here");
  network.opened[0]!.close();
  await Promise.all([a.until("gone b"), b.until("gone a")]);
  await until(() => a.bus.send("b", "again from a") && b.bus.send("a", "again from b"));
  await Promise.all([b.until("again from a"), a.until("again from b")]);
});

Deno.test("LocalBus.close() does not wait for a node that hangs before its answer", async () => {
  await using folder = new TempDir();
  using hung = Deno.listen({ transport: "unix", path: `${folder.path}/hung.sock` });
  const clock = new VirtualClock();
  const bus = new LocalBus({ node: "a", folder: folder.path, clock });
  bus.receive({ onMessage() {}, onStatus() {}, onGone() {} });
  const connected = bus.connect();
  using link = await hung.accept();
  let greeted = false;
  void link.read(new Uint8Array(100)).then(() => greeted = true);
  // What is sent leaves at the end of a turn of the clock. Then only the timer of the answer is left.
  while (!greeted) await clock.advance(1);
  assertEquals(clock.timers, 1);
  await clock.advance(2000);
  await connected;
  await bus.close();
  assertEquals([bus.status, clock.timers], ["closed", 0]);
});

Deno.test("LocalBus refuses a peer whose id is not that of a node", async () => {
  await using folder = new TempDir();
  await using a = new BusRecorder(new LocalBus({ node: "a", folder: folder.path }));
  await a.bus.connect();
  for (const [id, isNode] of [["../x", false], ["n".repeat(65), false], ["n".repeat(64), true]] as const) {
    using peer = await Deno.connect({ transport: "unix", path: `${folder.path}/a.sock` });
    await peer.write(new Uint8Array([0, 0, 0, id.length, ...new TextEncoder().encode(id)]));
    assertEquals(await peer.read(new Uint8Array(100)) !== null, isNode, id);
    if (!isNode) assertEquals(a.events, ["status connected"]);
  }
});
