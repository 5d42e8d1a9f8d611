import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { Agent } from "../../../loadtest/agent/agent.ts";
import { AGENT_PROTOCOL } from "../../../loadtest/agent/protocol.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { until } from "../../_util/until.ts";

const TOKEN = "secret";
const HELLO = { event: "hello", protocol: AGENT_PROTOCOL, version: "1", run: "a" };
/** A process that says its id, and runs until it is killed. */
const PROCESS = ["sh", "-c", `echo "{\\"event\\":\\"pid\\",\\"pid\\":$$}"; exec sleep 1000`] as const;

function startAgent(): Agent {
  return new Agent({
    address: { hostname: "127.0.0.1", port: 0 },
    token: TOKEN,
    version: "1",
    command: [...PROCESS],
  });
}

/** Connects with the token, says hello, and sends messages. */
async function converse(agent: Agent, ...messages: readonly unknown[]): Promise<Connection> {
  const connection = await connect(agent.address);
  connection.send(`auth ${TOKEN}`);
  for (const message of [HELLO, ...messages]) connection.send(JSON.stringify(message));
  return connection;
}

/** Returns the lines up to the end that are not signs of life. */
async function restOf(connection: Connection): Promise<string[]> {
  const lines = await Array.fromAsync(connection);
  return lines.filter((line) => !line.includes('"alive"'));
}

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

Deno.test("Agent reads no long line before the token", async () => {
  await using agent = startAgent();
  await using peer = await connect(agent.address);
  peer.send(`auth ${"x".repeat(20_000)}`);
  const [answer] = await restOf(peer);
  assertEquals(answer, "error line is over the limit of 16384 bytes");
});

Deno.test("Agent takes long lines after the token, however the bytes arrive", async () => {
  await using agent = startAgent();
  const text = "x".repeat(1_000_000);
  await using connection = await converse(agent, { event: "file", name: "a.ts", text, sha256: "other" });
  assertEquals((await restOf(connection)).at(-1), "error the file a.ts was damaged on its way");
});

Deno.test("Agent refuses a second hello, and a second process, and ends the first one", async () => {
  await using agent = startAgent();
  await using greeting = await converse(agent, HELLO);
  assertEquals((await restOf(greeting)).at(-1), "error hello was said already");
  await using connection = await converse(agent, { event: "start" }, { event: "start" });
  // The first process may be killed before it says anything.
  const lines = await restOf(connection);
  assertEquals(lines.includes("error a process was started already"), true, lines.join("\n"));
  const said = lines.find((line) => line.includes('"pid"'));
  if (said !== undefined) await until(() => !isRunning(JSON.parse(said).pid));
});

Deno.test("Agent answers a message that it cannot use, and is ready for the next load test", async () => {
  await using agent = startAgent();
  for (const message of [null, 5, [], { event: "unknown" }, { event: "file", name: 5 }]) {
    await using connection = await converse(agent, message);
    assertStringIncludes((await restOf(connection)).at(-1)!, "error ");
  }
  await using connection = await converse(agent, { event: "clock" });
  for await (const line of connection) if (line.includes('"clock"')) break;
});

Deno.test("Agent answers with the time of its processes when the clock of its machine was set", async () => {
  await using agent = startAgent();
  const { now } = Date;
  const hour = 3_600_000;
  Date.now = () => now() + hour;
  try {
    await using connection = await converse(agent, { event: "clock" });
    for await (const line of connection) {
      const message = JSON.parse(line);
      if (message.event !== "clock") continue;
      assertAlmostEquals(message.now, now() + hour, 10_000);
      break;
    }
  } finally {
    Date.now = now;
  }
});
