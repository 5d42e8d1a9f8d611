import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { assertProven, runLoadTest, scenario, SessionStoppedError } from "../../../loadtest/mod.ts";
import { lineCodec, listen, respCodec, RespError, type RespValue } from "../../../socket/mod.ts";
import { answer, kindsOf, LINES, once, runInMemory } from "../../_util/loadtest/scenario_world.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const permissions = "none";
const codec = lineCodec();
const echo = answer((line) => line);

Deno.test({
  name: "Session.askAll() resolves with all replies in order, and records each request",
  permissions,
  fn: async () => {
    const replies: string[][] = [];
    const history: string[] = [];
    const run = await runInMemory({
      serve: echo,
      onHistoryLine: (line) => history.push(line),
      scenario: once(async (t) => {
        replies.push(await t.askAll(LINES, { expectEach: LINES }));
        replies.push(await t.askAll(["a 1", "b 2"], { expect: /^[ab] \d$/ }));
        replies.push(await t.askAll(["c", "c"], { expect: "c", name: "named" }));
        replies.push(await t.askAll(["0", "1"], { expect: (reply, index) => reply === `${index}` }));
        replies.push(await t.askAll(["any"]));
        replies.push(await t.askAll(["x", "y"], { expectEach: [undefined, (reply) => reply === "y"] }));
      }),
    });
    assertProven(run);
    assertEquals(replies, [LINES, ["a 1", "b 2"], ["c", "c"], ["0", "1"], ["any"], ["x", "y"]]);
    const asks = history.map((line) => JSON.parse(line)).filter(({ event }) => event === "ask");
    assertEquals(
      asks.flatMap(({ ask, count = 1 }) => Array.from({ length: count }, (_, index) => ask + index)),
      Array.from({ length: 25 }, (_, index) => index),
    );
    assertEquals(asks.length, 9); // A read with replies of one step is one event.
    assertEquals(
      run.summary.scenario?.steps.map(({ name, ok }) => [name, ok]),
      [["say", 16], ["a", 1], ["b", 1], ["named", 2], ["0", 1], ["1", 1], ["any", 1], ["x", 1], ["y", 1]],
    );
    assertEquals(run.summary.scenario?.requests, 25);
  },
});

Deno.test({
  name: "Session.askAll() sends all frames in one write, and keeps no reference to its arrays",
  permissions,
  fn: async () => {
    const batches: number[] = [];
    const run = await runInMemory({
      serve: async (peer) => {
        for await (const lines of peer.batches()) {
          batches.push(lines.length);
          for (const line of lines) peer.send(line);
        }
      },
      scenario: once(async (t) => {
        const frames = [...LINES];
        const expectEach = [...LINES];
        const replies = t.askAll(frames, { expectEach });
        frames.fill("changed");
        expectEach.fill("changed");
        assertEquals(await replies, LINES);
      }),
    });
    assertProven(run);
    assertEquals(batches, [16]);
  },
});

Deno.test({
  name:
    "Session.askAll() without frames resolves at once, and leaves the planned instant to the next request",
  permissions,
  fn: async () => {
    const history: string[] = [];
    const run = await runInMemory({
      serve: echo,
      clients: 1,
      onHistoryLine: (line) => history.push(line),
      scenario: once(async (t) => {
        await t.think("1s");
        assertEquals(await t.askAll([]), []);
        await t.ask("one");
      }),
    });
    assertProven(run);
    const asks = history.map((line) => JSON.parse(line)).filter(({ event }) => event === "ask");
    assertEquals(asks.length, 1);
    assert(asks[0].due >= 1000 && asks[0].due <= asks[0].sent);
  },
});

Deno.test({
  name:
    "Session.askAll() with correlate takes replies in any order, and sends nothing when ids are not unique",
  permissions,
  fn: async () => {
    const held: string[] = [];
    const lines: string[] = [];
    let reply = "";
    const run = await runInMemory({
      serve: answer((line) => {
        lines.push(line);
        return held.push(line) === 16
          ? [...held.splice(0).reverse(), reply].filter((one) => one !== "")
          : undefined;
      }),
      scenario: scenario({
        codec,
        correlate: (frame) => frame === "say x" ? undefined : frame.slice(4),
        async session(t) {
          assertEquals(await t.askAll(LINES, { expectEach: LINES }), LINES);
          assertThrows(() => t.askAll(["say 1", "say 2", "say 1"]), TypeError, "id 1 is already in flight");
          assertThrows(
            () => t.askAll(["say 1", "say x"]),
            TypeError,
            "request 17 (say): correlate() returns no id",
          );
          reply = LINES[3]!;
          assertEquals(await t.askAll(LINES, { expect: /^say/ }), LINES);
        },
      }),
    });
    assertEquals(kindsOf(run), ["duplicate"]);
    assertEquals(lines, [...LINES, ...LINES]);
    assertEquals(run.summary.acked, 32);
  },
});

Deno.test({
  name: "Session.askAll() stops with the run",
  permissions,
  fn: async () => {
    const errors: unknown[] = [];
    const run = await runInMemory({
      serve: answer((line) => line === "say 0" ? line : undefined),
      deadline: "20s",
      timeout: "1h",
      scenario: once(async (t) => {
        for (let i = 0; i < 2; i++) errors.push(await t.askAll(LINES).catch((error) => error));
      }),
    });
    assert(errors.every((error) => error instanceof SessionStoppedError), `${errors}`);
    assertEquals([run.summary.acked, run.summary.underWay], [1, 15]);
    assertEquals(kindsOf(run), ["under-way"]);
    assertStringIncludes(run.findings.map(({ text }) => text).join(), "waiting for the reply to say");
  },
});

Deno.test({
  name: "Session.askAll() sends 100,000 requests, right or wrong, lost or in reverse",
  permissions,
  fn: async () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `${index}`);
    const held: string[] = [];
    for (
      const [reply, acked, kinds] of [
        [(line: string) => line, 100_000, []],
        [(line: string) => line === "7" ? undefined : line, 99_999, ["lost"]],
        [(_: string) => "x", 0, ["wrong"]],
        [
          (line: string) => held.push(line) === 100_000 ? held.splice(0).reverse() : undefined,
          undefined,
          undefined,
        ],
      ] as const
    ) {
      let settled = 0;
      const run = await runInMemory({
        serve: answer(reply),
        scenario: once(async (t) => {
          await t.askAll(many, { expectEach: many, name: "number" }).catch(() => {});
          settled++;
        }),
      });
      assertEquals([settled, run.summary.scenario?.requests], [1, 100_000]);
      if (acked !== undefined) assertEquals(run.summary.acked, acked);
      if (kinds !== undefined) assertEquals(kindsOf(run), [...kinds]);
      else assertEquals(run.verdict, "failed");
    }
  },
});

Deno.test({
  name: "runLoadTest() counts a message with 16 requests once for messages, inFlight, and rate",
  permissions,
  fn: async () => {
    for (const load of [{ messages: 6, inFlight: 2 }, { rate: "6/s", duration: "3s" }] as const) {
      let most = 0;
      let held: (readonly string[])[] = [];
      const run = await runInMemory({
        clients: 3,
        ...load,
        serve: async (peer, clock) => {
          for await (const lines of peer.batches()) {
            held.push(lines);
            most = Math.max(most, lines.length);
            await new Promise<void>((resolve) => clock.after(10, resolve));
            for (const line of lines) peer.send(line);
          }
          held = [];
        },
        scenario: scenario({ codec, message: (t) => t.askAll(LINES, { expectEach: LINES }) }),
      });
      assertProven(run);
      assertEquals(run.summary.scenario?.requests, 18 * 16);
      // Two messages of 16 requests start together in the closed model.
      if ("inFlight" in load) assertEquals(most, 32);
    }
  },
});

Deno.test({
  name: "Session.askAll() carries frames of any codec",
  permissions,
  fn: async () => {
    const commands: RespValue[] = [["SET", "a", "1"], ["GET", "a"], "PING", ["NOPE"]];
    const seen: RespValue[] = [];
    const world = new Simulation();
    const server = listen({ ...world.seam, codec: respCodec({ role: "server" }) });
    server.serve(async (peer) => {
      for await (const command of peer) {
        seen.push(command);
        peer.send(["OK", "1", "PONG", new RespError("ERR unknown")][seen.length - 1]!);
      }
    });
    const run = await world.clock.runUntil(runLoadTest({
      ...world.seam,
      clients: 1,
      target: server.addresses,
      scenario: scenario({
        codec: respCodec(),
        session: async (t) =>
          void await t.askAll(commands, { expectEach: ["OK", "1", "PONG", new RespError("ERR unknown")] }),
      }),
    }));
    await world.clock.runUntil(server.close());
    assertProven(run);
    assertEquals(seen, [["SET", "a", "1"], ["GET", "a"], ["PING"], ["NOPE"]]);
    assertEquals(run.summary.scenario?.steps.map(({ name }) => name), ["SET", "GET", "PING", "NOPE"]);
  },
});
