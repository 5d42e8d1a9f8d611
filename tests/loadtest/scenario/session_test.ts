import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { AskError, assertProven, scenario } from "../../../loadtest/mod.ts";
import { lineCodec } from "../../../socket/mod.ts";
import { answer, kindsOf, runInMemory } from "../../_util/loadtest/scenario_world.ts";

const permissions = "none";
const codec = lineCodec();
const echo = answer((line) => line);

Deno.test({
  name: "Session.ask() accepts a string, a pattern, or a function",
  permissions,
  fn: async () => {
    const replies: string[] = [];
    const run = await runInMemory({
      serve: echo,
      scenario: scenario({
        codec,
        async session(t) {
          replies.push(await t.ask("one", { expect: "one" }));
          replies.push(await t.ask("two 2", { expect: /^two \d$/ }));
          replies.push(await t.ask("three", { expect: (reply) => reply.length === 5 }));
          replies.push(await t.ask("four"));
        },
      }),
    });
    assertProven(run);
    assertEquals(replies, ["one", "two 2", "three", "four"]);
  },
});

Deno.test({
  name: "Session.ask() rejects with AskError when the reply is wrong, and the scenario may go on",
  permissions,
  fn: async () => {
    const errors: unknown[] = [];
    const run = await runInMemory({
      serve: answer((line) => line.toUpperCase()),
      scenario: scenario({
        codec,
        async session(t) {
          await t.ask("one", { expect: "one" }).catch((error) => errors.push(error));
          await t.ask("two", {
            expect: () => {
              throw new Error("not today");
            },
          }).catch((error) => errors.push(error));
          await t.ask("x", { expect: "X", name: "last" });
        },
      }),
    });
    assertEquals(errors.map((error) => error instanceof AskError && [error.step, error.result]), [
      ["one", "wrong"],
      ["two", "wrong"],
    ]);
    assertEquals(kindsOf(run), ["wrong"]);
    assertStringIncludes(run.findings[1]!.text, "not today");
    assertEquals(run.summary.scenario?.sessions.done, 1);
    assertEquals(run.summary.scenario?.steps.map(({ name, ok }) => [name, ok]), [["one", 0], ["two", 0], [
      "last",
      1,
    ]]);
  },
});

Deno.test({
  name: "Session.ask() loses a request without a reply after its timeout, and recognizes the late reply",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: answer((line) => line === "flush" ? ["slow", "flush"] : undefined),
      scenario: scenario({
        codec,
        async session(t) {
          await t.ask("slow", { expect: "slow", timeout: "3s" }).catch(() => {});
          await t.ask("flush", { expect: "flush" });
        },
      }),
    });
    assertEquals(kindsOf(run), ["unexpected", "lost"]);
    assertStringIncludes(run.findings[0]!.text, "which had timed out");
    assertStringIncludes(run.findings[1]!.text, '(slow): no reply to "slow" within 3000 ms');
    assertEquals([run.summary.lost, run.summary.unexpected], [1, 1]);
    assert(run.now >= 3000 && run.now < 3500);
  },
});

Deno.test({
  name: "Session.ask() that is not awaited is booked, and waited for at the end of the session",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      scenario: scenario({
        codec,
        session(t) {
          void t.ask("right", { expect: "right" });
          void t.ask("a", { expect: "b" });
        },
      }),
    });
    assertEquals([run.summary.acked, run.summary.scenario?.wrong], [1, 1]);
  },
});

Deno.test({
  name: "scenario() with correlate matches replies by id in any order, and finds one that comes twice",
  permissions,
  fn: async () => {
    for (const twice of [false, true]) {
      const held: string[] = [];
      const run = await runInMemory({
        serve: answer((line) => {
          held.push(line);
          if (held.length < 3) return;
          const replies = held.splice(0).reverse();
          return twice ? [...replies, replies[1]!] : replies;
        }),
        scenario: scenario({
          codec,
          correlate: (frame) => frame.split(" ")[0],
          async session(t) {
            await Promise.all(
              [1, 2, 3].map((id) => t.ask(`${id} ask`, { expect: `${id} ask`, name: "ask" })),
            );
          },
        }),
      });
      assertEquals(kindsOf(run), twice ? ["duplicate"] : []);
      assertEquals(run.summary.acked, 3);
    }
  },
});

Deno.test({
  name: "Session.on() takes the frames that match, and no other frame may arrive unasked",
  permissions,
  fn: async () => {
    const news: string[] = [];
    const run = await runInMemory({
      serve: answer((line) => line === "ASK" ? ["NEWS 1", "DONE", "RUMOR"] : undefined),
      scenario: scenario({
        codec,
        async session(t) {
          t.on(/^NEWS /, (frame) => {
            news.push(frame);
            t.send("THANKS");
          });
          await t.ask("ASK", { expect: "DONE" });
        },
      }),
    });
    assertEquals(news, ["NEWS 1"]);
    assertEquals(kindsOf(run), ["unexpected"]);
    assertStringIncludes(run.findings[0]!.text, '"RUMOR"');
    assertEquals([run.summary.scenario?.handled, run.summary.scenario?.pushed], [1, 1]);
  },
});

Deno.test({
  name: "Session.check() and metric() show in the summary, and a check that fails is a finding",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      clients: 4,
      thresholds: ["metric.size.max<=3", "step.one.p99<1s", "requests==4"],
      scenario: scenario({
        codec,
        async session(t) {
          const ok = t.check("is even", t.client % 2 === 0);
          assertEquals(ok, t.client % 2 === 0);
          t.metric("size").record(t.client);
          await t.ask("one");
        },
      }),
    });
    assertEquals(kindsOf(run), ["check"]);
    assertEquals(run.summary.scenario?.checks, [{ name: "is even", passed: 2, failed: 2 }]);
    assertEquals(run.summary.scenario?.metrics.map(({ name, count, max }) => [name, count, max]), [[
      "size",
      4,
      3,
    ]]);
    assertEquals(run.summary.thresholds.map(({ holds }) => holds), [true, true, true]);
  },
});

Deno.test({
  name: "Session.think() plans the next request for the end of the pause",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      scenario: scenario({
        codec,
        async session(t) {
          await t.ask("one");
          await t.think("90s");
          await t.ask("two");
        },
      }),
      deadline: "3m",
    });
    assertProven(run);
    assert(run.now >= 90_000);
    assert((run.summary.latency.fromPlanned.max ?? Infinity) < 1000);
  },
});

Deno.test({
  name: "Session.random and row depend on the client and the seed only",
  permissions,
  fn: async () => {
    const seen = async (seed: number): Promise<string[]> => {
      const lines: string[] = [];
      const run = await runInMemory({
        serve: echo,
        clients: 3,
        seed,
        scenario: scenario({
          codec,
          data: ["ann", "bob", "cy"].map((name) => ({ name })),
          setup: () => Promise.resolve({ greeting: "hi" }),
          session(t) {
            lines.push(`${t.client} ${t.seed} ${t.row.name} ${t.shared.greeting} ${t.random()}`);
          },
        }),
      });
      assertProven(run);
      return lines.toSorted();
    };
    assertEquals(await seen(5), await seen(5));
    const [five, six] = [await seen(5), await seen(6)];
    assert(five.every((line, index) => line !== six[index]));
    assertEquals(five.map((line) => line.split(" ")[2]).toSorted(), ["ann", "bob", "cy"]);
  },
});
