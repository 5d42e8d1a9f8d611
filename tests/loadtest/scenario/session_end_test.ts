import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { assertProven, scenario, ScenarioError, SessionStoppedError } from "../../../loadtest/mod.ts";
import { lineCodec } from "../../../socket/mod.ts";
import { answer, kindsOf, runInMemory } from "../../_util/loadtest/scenario_world.ts";

const permissions = "none";
const codec = lineCodec();
const echo = answer((line) => line);

Deno.test({
  name: "runLoadTest() finds a scenario that throws, with its file and line",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      scenario: scenario({
        codec,
        async session(t) {
          await t.ask("one");
          throw new TypeError("no such user");
        },
      }),
    });
    assertEquals(kindsOf(run), ["scenario"]);
    const [finding] = run.findings;
    assert(
      /threw TypeError: no such user at session_end_test\.ts:\d+:\d+$/.test(finding!.text),
      finding!.text,
    );
  },
});

Deno.test({
  name: "runLoadTest() ends a session that never resolves, or expects what never comes, at the deadline",
  permissions,
  fn: async () => {
    for (
      const [hang, doing] of [
        [() => new Promise<void>(() => {}), "in its own code"],
        [
          (t: { ask(frame: string): Promise<string> }) => t.ask("silence"),
          "waiting for the reply to silence",
        ],
        [(t: { think(ms: number): Promise<void> }) => t.think(1e6), "in a think time"],
      ] as const
    ) {
      let stopped: unknown;
      const run = await runInMemory({
        serve: answer(() => undefined),
        deadline: "20s",
        timeout: "1h",
        scenario: scenario<string>({
          codec,
          session: async (t) => {
            try {
              await hang(t);
            } catch (error) {
              stopped = error;
              await assertRejects(() => t.ask("more"), SessionStoppedError);
            }
          },
        }),
      });
      assertEquals(run.verdict, "failed");
      assertEquals(kindsOf(run), ["under-way"]);
      assertStringIncludes(run.findings.map(({ text }) => text).join(), doing);
      assertEquals(run.now, 20_000);
      if (doing !== "in its own code") assert(stopped instanceof SessionStoppedError);
    }
  },
});

Deno.test({
  name: "runLoadTest() finds connections that the server has not closed when the run ends",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer) => {
        for await (const line of peer) peer.send(line);
        await peer.closed; // The FIN of the client does not end it.
      },
      deadline: "2s", // Before a client gives up waiting for the FIN of the server.
      timeout: "1s",
      scenario: scenario({ codec, session: async (t) => void await t.ask("one", { expect: "one" }) }),
    });
    assertEquals([run.verdict, kindsOf(run)], ["failed", ["unnatural"]]);
    assertStringIncludes(
      run.findings[0]!.text,
      "was done, and the server had not closed its connection when the run ended",
    );
  },
});

Deno.test({
  name: "runLoadTest() ends a scenario that sends without end",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer) => void await peer.closed,
      scenario: scenario({
        codec,
        session(t) {
          for (;;) t.send("x".repeat(1000));
        },
      }),
    });
    assertEquals(run.verdict, "failed");
    assertEquals(kindsOf(run), ["scenario", "unnatural"]);
    assertStringIncludes(run.findings[0]!.text, "bytes wait to be written");
  },
});

Deno.test({
  name: "runLoadTest() finds a connection that the server ends before the session is over",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer) => {
        for await (const _ of peer) break;
        await peer.close();
      },
      scenario: scenario({
        codec,
        async session(t) {
          await t.ask("one");
        },
      }),
    });
    assertEquals([kindsOf(run), run.summary.scenario?.sessions.failed], [["lost"], 1]);
    assertStringIncludes(run.findings[0]!.text, "closed by the server");
  },
});

Deno.test({
  name: "runLoadTest() is proven when expectState comes to 0, and failed when it does not",
  permissions,
  fn: async () => {
    for (const left of [0, 2]) {
      let polls = 0;
      const run = await runInMemory({
        serve: echo,
        scenario: scenario({
          codec,
          session: async (t) => void await t.ask("one"),
          expectState: () => Promise.resolve({ jobs: polls++ < 3 ? 5 : left }),
        }),
      });
      assertEquals(run.verdict, left === 0 ? "proven" : "failed");
      assertEquals(kindsOf(run), left === 0 ? [] : ["leftover"]);
      if (left > 0) assertStringIncludes(run.findings[0]!.text, "2 jobs");
    }
  },
});

Deno.test({
  name: "runLoadTest() rejects when setup throws, or the data has fewer rows than there are clients",
  permissions,
  fn: async () => {
    const session = (): void => {};
    await assertRejects(
      () =>
        runInMemory({
          serve: echo,
          scenario: scenario({ codec, session, setup: () => Promise.reject(new Error("no database")) }),
        }),
      ScenarioError,
      "Cannot set up the scenario: setup() threw Error: no database at session_end_test.ts:",
    );
    await assertRejects(
      () =>
        runInMemory({
          serve: echo,
          clients: 2,
          scenario: scenario({ codec, session, data: [{ name: "ann" }] }),
        }),
      ScenarioError,
      "The data has 1 row for 2 clients",
    );
    await assertRejects(
      () => runInMemory({ serve: echo, messages: 3, scenario: scenario({ codec, session }) }),
      ScenarioError,
      "Cannot use --messages with this scenario",
    );
  },
});

Deno.test({
  name: "runLoadTest() calls teardown once, with what setup returned, also when the run fails",
  permissions,
  fn: async () => {
    const seen: number[] = [];
    await runInMemory({
      serve: echo,
      clients: 3,
      scenario: scenario({
        codec,
        setup: () => 42,
        teardown: (shared) => void seen.push(shared),
        session: () => Promise.reject(new Error("broken")),
      }),
    });
    assertEquals(seen, [42]);
  },
});

Deno.test({
  name: "runLoadTest() delivers a session after whose last reply the server closes first",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer) => {
        for await (const line of peer) {
          peer.send(line);
          if (line === "QUIT") break;
        }
        await peer.close();
      },
      clients: 3,
      scenario: scenario({
        codec,
        async session(t) {
          await t.ask("one", { expect: "one" });
          await t.ask("QUIT", { expect: "QUIT" });
        },
      }),
    });
    assertProven(run);
    assertEquals(run.summary.closed.natural, 3);
  },
});

Deno.test({
  name: "runLoadTest() finds a connection that the server does not close",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer) => {
        for await (const line of peer) peer.send(line);
        await peer.closed;
      },
      scenario: scenario({ codec, session: async (t) => void await t.ask("one", { expect: "one" }) }),
    });
    assertEquals(run.text, "1 unnatural end; 1 of 1 requests answered as expected");
    assertEquals(
      run.findings[0]!.text,
      "A connection ended unnaturally once: timeout: connection not closed by the server for 5000 ms",
    );
  },
});

Deno.test({
  name: "runLoadTest() reports a request that fails, and ends its session, with one finding",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      scenario: scenario({ codec, session: async (t) => void await t.ask("one", { expect: "two" }) }),
    });
    assertEquals([run.findings.length, run.summary.scenario?.sessions.failed], [1, 1]);
    assertStringIncludes(run.findings[0]!.text, 'request 0 (one): expected "two", got "one"');
    assertEquals(run.text, "1 wrong reply; 0 of 1 requests answered as expected");
  },
});

Deno.test({
  name: "runLoadTest() finds a frame that send() could not send anymore",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer) => void await peer.close(),
      scenario: scenario({
        codec,
        async session(t) {
          await t.think("1s");
          t.send("late");
        },
      }),
    });
    assertStringIncludes(
      run.findings.map(({ text }) => text).join(),
      'ended its session early: Request late: "late" was not sent',
    );
  },
});
