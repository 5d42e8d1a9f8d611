// Every bus must pass these. What may differ (losses, order) is up to membership and the router to repair.
import { assertEquals } from "@std/assert";
import type { Bus } from "../../../relay/cluster/bus.ts";
import { LocalBus } from "../../../relay/cluster/local_bus.ts";
import { MemoryBusHub } from "../../../relay/cluster/memory_bus.ts";
import { systemClock } from "../../../socket/mod.ts";
import { Watch } from "../../../internal/watch.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** A place where nodes meet. */
interface Meeting extends AsyncDisposable {
  join(node: string): Bus;
}

const MEETINGS: Readonly<Record<string, () => Meeting>> = {
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
};

/** A node that records what its bus reports. */
class Recorder implements AsyncDisposable {
  readonly bus: Bus;
  readonly events: string[] = [];
  readonly #watch = new Watch(() => this.events);

  constructor(bus: Bus) {
    this.bus = bus;
    const add = (event: string) => {
      this.events.push(event);
      this.#watch.changed();
    };
    bus.receive({
      onMessage: (message) => add(message),
      onStatus: () => add(`status ${bus.status}`),
      onGone: (node) => add(`gone ${node}`),
    });
  }

  /** Waits for an event. */
  async until(event: string): Promise<void> {
    await this.#watch.until((events) => events.includes(event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.close();
  }
}

for (const [kind, meet] of Object.entries(MEETINGS)) {
  Deno.test(`Bus delivers to one node, and to all nodes, whoever came first (${kind})`, async () => {
    await using meeting = meet();
    await using a = new Recorder(meeting.join("a"));
    await using b = new Recorder(meeting.join("b"));
    await using c = new Recorder(meeting.join("c"));
    for (const { bus } of [a, b, c]) await bus.connect();
    assertEquals(a.bus.status, "connected");
    await c.bus.publish("from c");
    await Promise.all([a.until("from c"), b.until("from c")]);
    a.bus.send("c", "a to c");
    a.bus.publish("from a");
    await Promise.all([b.until("from a"), c.until("from a"), c.until("a to c")]);
    assertEquals(b.events, ["status connected", "from c", "from a"]);
  });

  Deno.test(`Bus carries any text up to its limit (${kind})`, async () => {
    await using meeting = meet();
    await using a = new Recorder(meeting.join("a"));
    await using b = new Recorder(meeting.join("b"));
    await a.bus.connect();
    await b.bus.connect();
    const texts = ["", "two\nlines", "\u{1F600} é \0", "x".repeat(a.bus.maxMessage)];
    b.bus.publish("here");
    await a.until("here");
    for (const text of texts) assertEquals(a.bus.send("b", text), true);
    await b.until(texts[3]!);
    assertEquals(b.events.slice(1), texts);
  });

  Deno.test(`Bus.close() ends in status closed, and sends nothing after it (${kind})`, async () => {
    await using meeting = meet();
    const a = new Recorder(meeting.join("a"));
    await using b = new Recorder(meeting.join("b"));
    await a.bus.connect();
    await b.bus.connect();
    b.bus.publish("here");
    await a.until("here");
    await a.bus.close();
    await a.bus.close();
    assertEquals(a.bus.status, "closed");
    assertEquals(a.bus.send("b", "late"), false);
  });
}

Deno.test("LocalBus reports a node whose links break", async () => {
  await using meeting = MEETINGS.local!();
  await using a = new Recorder(meeting.join("a"));
  const b = new Recorder(meeting.join("b"));
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
  await using a = new Recorder(new LocalBus({ node: "a", folder: folder.path }));
  await a.bus.connect();
  assertEquals(await folder.names(), ["a.sock"]);
});
