import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AgentError, AgentProcess } from "../../../loadtest/agent/agent_process.ts";
import { bytesCodec } from "../../../socket/mod.ts";
import { listen } from "../../../socket/listen.ts";
import type { Listener } from "../../../socket/listener.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { until } from "../../_util/until.ts";

const SLICES = [["a", "b"], ["c"]];

/** Starts an agent whose process ends immediately, and which sends its slices of a history, and maybe the last message. */
function startAgent({ whole }: { readonly whole: boolean }): Listener {
  const agent = listen({ port: 0 });
  void agent.serve(async (peer) => {
    for await (const line of peer) {
      if (line.startsWith("auth ")) continue;
      const send = (message: object) => void peer.send(JSON.stringify(message));
      const { event } = JSON.parse(line);
      if (event === "hello") send({ event, version: "1" });
      if (event === "clock") send({ event, now: Date.now() });
      if (event === "start") send({ event: "end", code: 0, signal: null });
      if (event !== "history") continue;
      for (const lines of SLICES) {
        send({ event: "alive" });
        send({ event, lines, last: false });
      }
      if (whole) send({ event, lines: [], last: true });
      else return;
    }
  });
  return agent;
}

function startProcess(agent: Pick<Listener, "addresses">): Promise<AgentProcess> {
  return AgentProcess.start({
    address: agent.addresses[0]!,
    token: "secret",
    version: "1",
    run: "run",
    onMessage: () => {},
  });
}

Deno.test("AgentProcess.history() passes on each slice until the last", async () => {
  await using agent = startAgent({ whole: true });
  const process = await startProcess(agent);
  assertEquals(await process.ended, { code: 0, signal: null });
  const slices: (readonly string[])[] = [];
  await process.history((lines) => slices.push(lines));
  assertEquals(slices, SLICES);
  await process.close();
});

Deno.test("AgentProcess.history() rejects when the agent is lost before the last slice", async () => {
  await using agent = startAgent({ whole: false });
  const process = await startProcess(agent);
  const slices: (readonly string[])[] = [];
  await assertRejects(
    () => process.history((lines) => slices.push(lines)),
    AgentError,
    "the agent closed the connection",
  );
  assertEquals(slices, SLICES);
  await process.close();
});

Deno.test("AgentProcess.start() rejects, closes its connection, and hides the token when the server is not an agent", async () => {
  const answers = ["[]\n", "HTTP/1.1 400 Bad Request\r\n\r\n"].map((text) => new TextEncoder().encode(text));
  // An echo of what it got, and bytes that are not UTF-8.
  for (const answer of [undefined, ...answers, new Uint8Array([0xff, 0xfe, 10])]) {
    await using server = listen({ port: 0, codec: bytesCodec });
    void server.serve(async (peer) => {
      for await (const bytes of peer) peer.send(answer ?? bytes);
    });
    const { message } = await assertRejects(() => startProcess(server), AgentError);
    assertMatch(message, /^Cannot use the agent 127\.0\.0\.1:\d+: it sent a line that is not an agent's$/);
    await server.until(({ connections }) => connections === 0);
  }
});

Deno.test("AgentProcess.start() closes its connection when the agent refuses", async () => {
  await using server = listen({ port: 0 });
  void server.serve(async (peer) => {
    for await (const _ of peer) peer.send("error wrong token");
  });
  await assertRejects(() => startProcess(server), AgentError, "wrong token");
  await server.until(({ connections }) => connections === 0);
});

/** Starts an agent that shows signs of life, and answers only some messages. */
function startStuckAgent(answers: Readonly<Record<string, object>>): Listener {
  const agent = listen({ port: 0 });
  void agent.serve(async (peer) => {
    for await (const line of peer) {
      if (line.startsWith("auth ")) continue;
      const { event } = JSON.parse(line);
      peer.send(JSON.stringify({ event: "alive" }));
      if (Object.hasOwn(answers, event)) peer.send(JSON.stringify({ event, ...answers[event] }));
    }
  });
  return agent;
}

function startAt(agent: Pick<Listener, "addresses">, clock: VirtualClock): Promise<AgentProcess> {
  const onMessage = () => {};
  return AgentProcess.start({
    address: agent.addresses[0]!,
    token: "secret",
    version: "1",
    run: "run",
    onMessage,
    clock,
  });
}

Deno.test("AgentProcess.start() gives up an agent that lives and does not answer", async () => {
  await using agent = startStuckAgent({ hello: { version: "1" } });
  const clock = new VirtualClock();
  const rejected = assertRejects(() => startAt(agent, clock), AgentError, "no answer to clock within 15s");
  await agent.until(({ connections }) => connections === 1);
  // The timer of the hello is canceled when that is answered.
  while (clock.timers > 0 || agent.stats().connections > 0) {
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await rejected;
});

Deno.test("AgentProcess.start() rejects when the time of an agent is not a number", async () => {
  await using agent = startStuckAgent({ hello: { version: "1" }, clock: { now: "noon" } });
  await assertRejects(() => startProcess(agent), AgentError, "it sent a line that is not an agent's");
});

Deno.test("AgentProcess.terminate() gives up an agent that lives and does not end its process", async () => {
  await using agent = startStuckAgent({ hello: { version: "1" }, clock: { now: 0 } });
  const clock = new VirtualClock();
  const process = await startAt(agent, clock);
  process.terminate(1000);
  await until(() => clock.timers === 1);
  await clock.advance(16_000);
  assertEquals(await process.ended, { detail: "the agent did not end its process within 16s" });
  await process.close();
});
