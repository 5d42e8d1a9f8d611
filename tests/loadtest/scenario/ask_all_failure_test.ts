import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { AskError, assertProven } from "../../../loadtest/mod.ts";
import { answer, kindsOf, LINES, once, runInMemory } from "../../_util/loadtest/scenario_world.ts";

const permissions = "none";
const echo = answer((line) => line);

Deno.test({
  name: "Session.askAll() rejects after all requests have settled, and names the first that failed",
  permissions,
  fn: async () => {
    let error: unknown;
    let answered = 0;
    const run = await runInMemory({
      serve: answer((line) => {
        answered++;
        return line === "say 3" || line === "say 9" ? "no" : line;
      }),
      scenario: once(async (t) => {
        error = await t.askAll(LINES, { expectEach: LINES }).catch((error) => error);
        assertEquals(answered, 16);
        await t.ask("on we go", { expect: "on we go" });
      }),
    });
    assert(error instanceof AskError);
    assertEquals([error.index, error.failures, error.result, error.step], [3, 2, "wrong", "say"]);
    assertEquals(
      error.message,
      'Request say (index 3 of 16, "say 3"): expected "say 3", got "no"; 2 of 16 requests failed',
    );
    assertEquals(kindsOf(run), ["wrong"]);
    assertEquals([run.summary.acked, run.summary.scenario?.wrong], [15, 2]);
    assertEquals(run.summary.scenario?.sessions.done, 1);
  },
});

Deno.test({
  name: "Session.askAll() ends a session that does not catch its error, and need not be awaited",
  permissions,
  fn: async () => {
    for (const awaited of [true, false]) {
      const run = await runInMemory({
        serve: answer((line) => line === "say 3" ? "no" : line),
        scenario: once((t) => {
          const replies = t.askAll(LINES, { expectEach: LINES });
          return awaited ? replies : Promise.resolve();
        }),
      });
      assertEquals([kindsOf(run), run.summary.scenario?.sessions.failed], [["wrong"], awaited ? 1 : 0]);
      assertEquals(run.summary.acked, 15);
    }
  },
});

Deno.test({
  name: "Session.askAll() loses the requests without a reply after one timeout, and recognizes late replies",
  permissions,
  fn: async () => {
    let error: unknown;
    const run = await runInMemory({
      serve: answer((line) => line === "flush" ? ["say 15", "flush"] : line === "say 15" ? undefined : line),
      scenario: once(async (t) => {
        error = await t.askAll(LINES, { expectEach: LINES, timeout: "3s" }).catch((error) => error);
        await t.ask("flush", { expect: "flush" });
      }),
    });
    assert(error instanceof AskError);
    assertEquals([error.index, error.result, error.failures], [15, "lost", 1]);
    assertEquals(kindsOf(run), ["unexpected", "lost"]);
    assertStringIncludes(run.findings[0]!.text, "the reply to request 15 (say), which had timed out");
    assertStringIncludes(run.findings[1]!.text, 'no reply to "say 15" within 3000 ms');
    assert(run.now >= 3000 && run.now < 3500);
  },
});

Deno.test({
  name: "Session.askAll() finds a 17th reply to 16 requests",
  permissions,
  fn: async () => {
    for (const [extra, kind] of [["say 15", "duplicate"], ["more", "unexpected"]] as const) {
      const run = await runInMemory({
        serve: answer((line) => line === "say 15" ? [line, extra] : line),
        scenario: once((t) => t.askAll(LINES, { expectEach: LINES })),
      });
      assertEquals(kindsOf(run), [kind]);
      assertEquals(run.summary.acked, 16);
    }
  },
});

Deno.test({
  name: "Session.askAll() loses what is left when the server closes in the middle",
  permissions,
  fn: async () => {
    const errors: unknown[] = [];
    const run = await runInMemory({
      serve: async (peer) => {
        let left = 10;
        for await (const line of peer) {
          peer.send(line);
          if (--left === 0) break;
        }
        await peer.close();
      },
      scenario: once(async (t) => {
        for (const frames of [LINES, ["after"]]) {
          errors.push(await t.askAll(frames, { expectEach: frames }).catch((error) => error));
        }
      }),
    });
    const [error, after] = errors;
    assert(error instanceof AskError && after instanceof AskError);
    assertEquals([error.index, error.failures, error.result], [10, 6, "lost"]);
    assertStringIncludes(error.message, '"say 10"): no reply to "say 10" before the connection ended');
    assertStringIncludes(after.message, '"after" was not sent, because the connection had ended');
    assertEquals([run.summary.acked, run.summary.lost], [10, 7]);
  },
});

Deno.test({
  name: "Session.askAll() finds replies in another order, and resolves with them in the order of requests",
  permissions,
  fn: async () => {
    let replies: readonly string[] = [];
    const held: string[] = [];
    const run = await runInMemory({
      serve: answer((line) => held.push(line) === 16 ? held.splice(0).reverse() : undefined),
      scenario: once(async (t) => replies = await t.askAll(LINES, { expectEach: LINES })),
    });
    assertEquals(replies, LINES);
    assertEquals(kindsOf(run), ["reordered"]);
    assertEquals(run.summary.scenario?.reordered, 15);
  },
});

Deno.test({
  name:
    "Session.askAll() calls an expectation once for each reply that it accepts, and lets it add a handler for the next ones",
  permissions,
  fn: async () => {
    const judged: string[] = [];
    const handled: string[] = [];
    const run = await runInMemory({
      // All in one read.
      serve: answer((line) =>
        line === "say 15" ? [...LINES.slice(0, 3), "news", ...LINES.slice(3)] : undefined
      ),
      clients: 1,
      scenario: once(async (t) => {
        const expect = (reply: string, index: number): boolean => {
          judged.push(reply);
          if (index === 2) t.on("news", (frame) => void handled.push(frame));
          return true;
        };
        await t.askAll(LINES, { expect });
      }),
    });
    assertEquals(judged, LINES);
    assertEquals(handled, ["news"]);
    assertProven(run);
  },
});

Deno.test({
  name: "Session.askAll() records the requests before a frame that the codec refuses, and only those",
  permissions,
  fn: async () => {
    for (const [at, requests] of [[0, 0], [7, 7], [15, 15]] as const) {
      const received: string[] = [];
      const run = await runInMemory({
        serve: answer((line) => (received.push(line), line)),
        scenario: once(async (t) => {
          const frames = LINES.with(at, "a\nb");
          // A frame that is refused first throws immediately, as that of `ask`.
          const error = await assertRejects(
            async () => await t.askAll(frames, { expectEach: frames }),
            TypeError,
          );
          assertStringIncludes(
            error.message,
            `Cannot send the frame at index ${at} of 16: Cannot send "a\\nb"`,
          );
          assertEquals(received.length, at);
          assertEquals(await t.ask("after", { expect: "after" }), "after");
        }),
      });
      assertProven(run);
      assertEquals(run.summary.acked, requests + 1);
    }
  },
});

Deno.test({
  name: "Session.askAll() throws for options that contradict its frames",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      scenario: once((t) => {
        assertThrows(
          () => t.askAll(LINES, { expectEach: LINES.slice(1) }),
          RangeError,
          "Cannot judge the replies to 16 requests: got 15 in expectEach",
        );
        assertThrows(
          () => t.askAll(LINES, { expect: "a", expectEach: LINES }),
          TypeError,
          "Cannot use expect and expectEach together",
        );
        assertThrows(
          () => t.askAll("PING" as unknown as string[]),
          TypeError,
          "expected an array of frames, got string",
        );
        return Promise.resolve();
      }),
    });
    assertProven(run);
    assertEquals(run.summary.scenario?.requests, 0);
  },
});
