import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import { ConnectionDirectory, type OpenConnection } from "../../admin/connection_directory.ts";
import { connectionPageText } from "../../admin/connection_page.ts";
import { parseConnectionQuery } from "../../admin/connection_query.ts";
import { pure } from "../_util/permissions.ts";

const EPOCH = 1_000_000;

/** A directory of open connections, each of which has received as many bytes as its id says. */
function directoryOf(count: number) {
  let now = 0;
  let step = 0;
  let received = 0;
  const connections = new Set(Array.from({ length: count }, (_, index): OpenConnection => ({
    id: index + 1,
    remote: { hostname: "127.0.0.1", port: 1 + index },
    stats: () => ({
      openedAt: 5,
      bytesIn: index + 1 + received,
      bytesOut: 0,
      framesIn: 2,
      framesOut: 3,
      queuedBytes: 4,
    }),
    close: (why) => Promise.resolve(why),
    abort: () => {},
  })));
  const clock = {
    now: () => now += step,
    after: () => ({ cancel: () => {} }),
    soon: (run: () => void) => void setImmediate(run),
  };
  const directory = new ConnectionDirectory({ open: () => connections, clock, epoch: EPOCH });
  const list = (query: string) => directory.list(parseConnectionQuery(new URLSearchParams(query)));
  return {
    connections,
    directory,
    list,
    advance: (ms: number) => now += ms,
    receive: () => received++,
    /** From now on, `ms` pass between two looks at the clock. */
    tick: (ms: number) => step = ms,
  };
}

Deno.test("ConnectionDirectory.list() describes open and closed connections", pure, async () => {
  const { directory, connections, list, advance } = directoryOf(2);
  directory.sample();
  advance(2000);
  const common = { since: EPOCH + 5, bytesOut: 0, linesIn: 2, linesOut: 3, queued: 4, pending: 0 };
  const open = await list("");
  assertEquals([open.now, open.total, open.matched], [EPOCH + 2000, 2, 2]);
  assertEquals([...open.rows], [
    { ...common, id: 1, address: "127.0.0.1:1", bytesIn: 1, idle: 2000 },
    { ...common, id: 2, address: "127.0.0.1:2", bytesIn: 2, idle: 2000 },
  ]);
  const [first] = connections;
  connections.delete(first!);
  directory.remember(first!, { type: "natural" });
  advance(500);
  const closed = await list("state=closed");
  const { detail, ...row } = [...closed.rows][0]!;
  assertEquals(typeof detail, "string");
  assertEquals(row, {
    ...common,
    id: 1,
    address: "127.0.0.1:1",
    bytesIn: 1,
    idle: 500,
    until: EPOCH + 2000,
    reason: "natural",
  });
  assertEquals([...(await list("")).rows].map(({ id }) => id), [2]);
});

Deno.test(
  "ConnectionDirectory.list() keeps rows in order when bytes arrive while it reads them",
  pure,
  async () => {
    const { list, receive } = directoryOf(3);
    const { rows } = await list("sort=bytes_in");
    const seen: number[] = [];
    for (const { bytesIn } of rows) {
      seen.push(bytesIn);
      receive();
      receive();
    }
    assertEquals(seen, [3, 2, 1]);
  },
);

Deno.test("ConnectionDirectory.list() lets the event loop go on when there are many connections", async () => {
  const { list, tick } = directoryOf(10_000);
  let turns = 0;
  let over = false;
  const count = () => {
    if (over) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  tick(1);
  const { rows } = await list("sort=bytes_in");
  over = true;
  assert(turns > 100, `${turns} turns`);
  assertEquals([...rows].length, 1024);
});

Deno.test("connectionPageText() yields pieces that make one JSON object", async () => {
  const { list } = directoryOf(2000);
  for (const [limit, pieces] of [[10_000, 3], [32, 1], [33, 1]]) {
    const page = await list(`limit=${limit}`);
    const { rows, ...head } = page;
    const texts = await Array.fromAsync(connectionPageText(page));
    assert(texts.length >= pieces!, `${texts.length} pieces`);
    const { rows: again } = await list(`limit=${limit}`);
    assertEquals(JSON.parse(texts.join("")), { ...head, connections: [...again] });
    assertEquals([...rows], [], "they have been read");
  }
  const none = await list("id=9999");
  const texts = await Array.fromAsync(connectionPageText(none));
  assertEquals(JSON.parse(texts.join("")).connections, []);
});
