import { assertEquals, assertRejects } from "@std/assert";
import { AgentError, AgentProcess } from "../../../loadtest/agent/agent_process.ts";
import { listen } from "../../../socket/listen.ts";
import type { Listener } from "../../../socket/listener.ts";

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

function startProcess(agent: Listener): Promise<AgentProcess> {
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
