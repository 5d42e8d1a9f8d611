import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertProven, scenario } from "../../../loadtest/mod.ts";
import { lineCodec } from "../../../socket/mod.ts";
import { answer, runInMemory } from "../../_util/loadtest/scenario_world.ts";

const permissions = "none";
const codec = lineCodec();

const logIn = scenario({
  codec,
  session: async (t) => void await t.ask(`LOGIN ${t.client}`, { expect: /^LOGIN/ }),
  message: (t) => t.ask("PING", { expect: "PING" }),
});
const echo = answer((line) => line);

Deno.test({
  name: "runLoadTest() runs the message of a scenario as often as messages says, after its session",
  permissions,
  fn: async () => {
    const lines: string[] = [];
    const run = await runInMemory({
      serve: answer((line) => (lines.push(line), line)),
      clients: 3,
      messages: 5,
      scenario: logIn,
    });
    assertProven(run);
    assertEquals(lines.filter((line) => line === "PING").length, 15);
    assertEquals(run.summary.scenario?.steps.map(({ name, ok }) => [name, ok]), [["LOGIN", 3], ["PING", 15]]);
  },
});

Deno.test({
  name: "runLoadTest() keeps inFlight messages without a reply, and thinks between them",
  permissions,
  fn: async () => {
    let most = 0;
    const held: string[] = [];
    const run = await runInMemory({
      serve: async (peer) => {
        for await (const line of peer) {
          if (line.startsWith("LOGIN")) peer.send(line);
          else if (held.push(line) === 4) {
            most = Math.max(most, held.length);
            for (const one of held.splice(0)) peer.send(one);
          }
        }
      },
      messages: 20,
      inFlight: 4,
      think: "1s",
      scenario: logIn,
    });
    assertProven(run);
    assertEquals(most, 4);
    assertEquals(run.summary.scenario?.requests, 21);
    assert(run.now >= 4000 && run.now < 5500, `${run.now}`);
  },
});

Deno.test({
  name: "runLoadTest() starts messages at the rate, whether or not the server keeps up",
  permissions,
  fn: async () => {
    let first = true;
    const run = await runInMemory({
      // A server that stops for 3 s once.
      serve: async (peer, clock) => {
        for await (const line of peer) {
          if (first && line === "PING") {
            first = false;
            await new Promise<void>((resolve) => clock.after(3000, resolve));
          }
          peer.send(line);
        }
      },
      clients: 4,
      rate: "100/s",
      duration: "10s",
      scenario: logIn,
    });
    assertProven(run);
    assertEquals(run.summary.scenario?.steps[1]?.requests, 1000);
    assert((run.summary.latency.fromPlanned.max ?? 0) > 2500);
    assert((run.summary.scenario?.messageLag ?? Infinity) < 5);
  },
});

Deno.test({
  name: "runLoadTest() is invalid when inFlight holds back the rate, and names the plan",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer, clock) => {
        for await (const line of peer) {
          await new Promise<void>((resolve) => clock.after(3000, resolve));
          peer.send(line);
        }
      },
      rate: "10/s",
      duration: "10s",
      inFlight: 1,
      maxLag: "100ms",
      deadline: "10m",
      timeout: "10m",
      scenario: logIn,
    });
    assertEquals(run.verdict, "invalid");
    assertStringIncludes(run.findings.map(({ text }) => text).join(), "The plan itself was the limit");
  },
});

Deno.test({
  name: "runLoadTest() starts the sessions of a scenario without messages by the stages",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      stages: "1s:0→100/s,1s:100/s",
      scenario: scenario({ codec, session: async (t) => void await t.ask("one") }),
    });
    assertProven(run);
    assertEquals(run.summary.clients, 150);
  },
});

Deno.test({
  name: "runLoadTest() proves requests of the warm-up, and does not measure them",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: echo,
      rate: "100/s",
      duration: "10s",
      window: 0,
      warmup: "5s",
      scenario: logIn,
    });
    assertProven(run);
    assertEquals(run.summary.acked, 1001);
    assert((run.summary.scenario?.perSecond ?? 0) < 150);
  },
});

Deno.test({
  name: "runLoadTest() finds the messages that could not be sent because the connection had ended",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: async (peer) => {
        let left = 10;
        for await (const line of peer) {
          peer.send(line);
          if (--left === 0) break;
        }
        await peer.close();
      },
      rate: "10/s",
      duration: "10s",
      scenario: logIn,
    });
    assertEquals(run.verdict, "failed");
    assertStringIncludes(
      run.findings.map(({ text }) => text).join(),
      "planned messages of process 0 could not be sent",
    );
  },
});

Deno.test({
  name: "runLoadTest() ends a client whose connection ended before its scheduled messages could start",
  permissions,
  fn: async () => {
    const run = await runInMemory({
      serve: (peer) => void peer.close(),
      rate: "10/s",
      duration: "1s",
      window: "0ms",
      timeout: "30s",
      scenario: scenario({
        codec,
        session: (t) => t.think("2s"),
        message: (t) => t.ask("PING", { expect: "PING" }),
      }),
    });
    assertEquals([run.verdict, run.now < 3000], ["failed", true], `${run.now}`);
    assertStringIncludes(
      run.findings.map(({ text }) => text).join("\n"),
      "the connection ended before all messages were sent: closed by the server",
    );
  },
});

Deno.test({
  name:
    "runLoadTest() lets messages that only send wait until they are written, and all clients take their turn",
  permissions,
  fn: async () => {
    const clients: string[] = [];
    const run = await runInMemory({
      serve: async (peer) => {
        for await (const line of peer) clients.push(line.slice(0, 1));
      },
      clients: 2,
      window: "0ms",
      messages: 400, // 24 MB, more than may wait to be written.
      scenario: scenario({ codec, message: (t) => t.send(`${t.client}${"x".repeat(60_000)}`) }),
    });
    assertEquals([run.verdict, clients.length], ["delivered", 800]);
    assertEquals(new Set(clients.slice(0, 100)).size, 2);
  },
});

Deno.test({
  name: "runLoadTest() ends messages that wait for nothing when their duration is over",
  permissions,
  fn: async () => {
    let messages = 0;
    const run = await runInMemory({
      serve: answer((line) => line),
      duration: "100ms",
      scenario: scenario({ codec, message: (t) => void t.check("counted", ++messages > 0) }),
    });
    assertEquals(run.findings, []);
    assert(run.now < 200 && messages >= 1000, `${run.now} ms, ${messages} messages`);
  },
});
