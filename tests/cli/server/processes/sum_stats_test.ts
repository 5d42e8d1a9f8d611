import { assertEquals } from "@std/assert";
import { combineStates, sumStats } from "../../../../cli/server/processes/sum_stats.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test("sumStats() adds numbers at every depth, and keeps keys that only some states have", pure, () => {
  const one = { connections: 1, closed: { natural: 2 }, name: "relay" };
  const two = { connections: 4, closed: { natural: 3, reset: 1 }, extra: 7 };
  assertEquals(sumStats([one, two]), {
    connections: 5,
    closed: { natural: 5, reset: 1 },
    name: "relay",
    extra: 7,
  });
});

Deno.test("sumStats() adds lists of the same length item by item", pure, () => {
  const backend = { name: "127.0.0.1:80", draining: true, open: 2 };
  const state = { backends: [backend, { ...backend, name: "127.0.0.1:81" }] };
  assertEquals(sumStats([state, { backends: [{ ...backend, draining: false, open: 3 }, backend] }]), {
    backends: [{ name: "127.0.0.1:80", draining: false, open: 5 }, {
      name: "127.0.0.1:81",
      draining: true,
      open: 4,
    }],
  });
  assertEquals(sumStats([{ list: [1] }, { list: [1, 2] }]), { list: [1] });
});

Deno.test("sumStats() is suspended only when every process is", pure, () => {
  assertEquals(sumStats([{ suspended: true }, { suspended: true }]), { suspended: true });
  assertEquals(sumStats([{ suspended: true }, { suspended: false }]), { suspended: false });
});

Deno.test("sumStats() of no states is empty", pure, () => assertEquals(sumStats([]), {}));

const NONE = { restarts: 0, ended: {}, unanswered: 0 };

Deno.test("combineStates() lists the processes, and counts only nodes besides them", pure, () => {
  const one = { connections: 1, pending: 2, accepted: 5, messages: 7, nodes: 2 };
  const two = { ...one, connections: 3, nodes: 1 };
  const states = [{ pid: 10, state: one, answered: true }, { pid: 11, state: two, answered: true }];
  assertEquals(combineStates(states, { ...NONE, restarts: 4 }), {
    connections: 4,
    pending: 4,
    accepted: 10,
    messages: 14,
    nodes: 1,
    processes: 2,
    unanswered: 0,
    restarts: 4,
    workers: [
      { pid: 10, accepted: 5, connections: 1, pending: 2, messages: 7 },
      { pid: 11, accepted: 5, connections: 3, pending: 2, messages: 7 },
    ],
  });
});

Deno.test(
  "combineStates() has no nodes, messages, or pending messages for a service without them",
  pure,
  () => {
    const states = [{ pid: 10, state: { connections: 1, accepted: 2 }, answered: true }];
    assertEquals(combineStates(states, NONE), {
      connections: 1,
      accepted: 2,
      processes: 1,
      unanswered: 0,
      restarts: 0,
      workers: [{ pid: 10, accepted: 2, connections: 1 }],
    });
  },
);

Deno.test("combineStates() counts no processes when none is left", pure, () => {
  const expected = { processes: 0, unanswered: 0, restarts: 3, workers: [] };
  assertEquals(combineStates([], { ...NONE, restarts: 3 }), expected);
});

Deno.test("combineStates() keeps the counts of processes that have ended", pure, () => {
  const state = { connections: 1, accepted: 2, closed: { natural: 1 } };
  const ended = { connections: 0, accepted: 5, closed: { natural: 2, reset: 3 } };
  const { connections, accepted, closed, processes } = combineStates(
    [{ pid: 10, state, answered: true }],
    { ...NONE, ended },
  );
  assertEquals([connections, accepted, processes], [1, 7, 1]);
  assertEquals(closed, { natural: 3, reset: 3 });
});

Deno.test(
  "combineStates() includes the last state of a process that hangs, and says that it hangs",
  pure,
  () => {
    const state = { connections: 1, accepted: 2 };
    const states = [{ pid: 10, state, answered: true }, { pid: 11, state, answered: false }];
    const { connections, processes, unanswered, workers } = combineStates(states, { ...NONE, unanswered: 1 });
    assertEquals([connections, processes, unanswered], [2, 1, 1]);
    assertEquals(
      workers,
      [{ pid: 10, ...state }, { pid: 11, ...state }].map(({ pid, connections, accepted }) => ({
        pid,
        accepted,
        connections,
      })),
    );
  },
);
