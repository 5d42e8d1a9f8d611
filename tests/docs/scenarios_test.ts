import { assertEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { startRelay } from "../../relay/mod.ts";
import { assertProven, runLoadTest } from "../../loadtest/mod.ts";
import { importScenario } from "../../loadtest/scenario/import_scenario.ts";
import {
  type Address,
  type Codec,
  delimiterCodec,
  type JsonValue,
  lengthPrefixCodec,
  listen,
  ndjsonCodec,
} from "../../socket/mod.ts";
import { TempDir } from "../_util/temp_dir.ts";
import { unusedAddress } from "../_util/network/proxy_backend.ts";

/** The examples of the page, by file name. */
const EXAMPLES: ReadonlyMap<string, string> = new Map(
  [
    ...Deno.readTextFileSync(new URL("../../docs/scenarios.md", import.meta.url))
      .matchAll(/^```ts\n\/\/ (\w+\.ts)\n([\s\S]*?)^```$/gm),
  ].map(([, name = "", source = ""]) => [name, source]),
);

interface Target extends AsyncDisposable {
  readonly addresses: readonly Address[];
}

/** A server that answers each frame by what `reply` returns. */
function serve<Frame>(
  codec: Codec<Frame>,
  reply: (frame: Frame) => readonly Frame[],
  options: { greeting?: Frame; last?: Frame } = {},
): Target {
  const server = listen<Frame>({ codec, port: 0, hostnames: ["127.0.0.1"] });
  server.serve(async (peer) => {
    if (options.greeting !== undefined) peer.send(options.greeting);
    for await (const frame of peer) {
      for (const one of reply(frame)) peer.send(one);
    }
  });
  return { addresses: server.addresses, [Symbol.asyncDispose]: () => server.close() };
}

const lines = delimiterCodec({ delimiter: "\n" });

function smtp(): Target {
  return serve(delimiterCodec({ delimiter: "\r\n" }), (line) => {
    if (line === "DATA") return ["354 go ahead"];
    if (line === "QUIT") return ["221 bye"];
    return /^(HELO|MAIL|RCPT|\.)/.test(line) ? ["250 OK"] : [];
  }, { greeting: "220 server.example" });
}

function store(): Target {
  let revision = 0;
  return serve(
    lines,
    (line) => [line.startsWith("PUT") ? `STORED ${++revision}` : line === "QUIT" ? "BYE" : "OK"],
  );
}

/** Answers in the reverse order. */
function squares(): Target {
  let held: JsonValue[] = [];
  return serve(ndjsonCodec(), (frame) => {
    const { id, value } = frame as { id: number; value: number };
    held.unshift({ id, result: value * value });
    if (held.length < 4) return [];
    const all = held;
    held = [];
    return all;
  });
}

function webSocket(): Target {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  return { addresses: [server.addr], [Symbol.asyncDispose]: () => server.shutdown() };
}

/** The real one, on a port that is free. */
async function redis(): Promise<Target> {
  const { hostname, port } = await unusedAddress();
  const server = new Deno.Command("redis-server", {
    args: ["--port", `${port}`, "--bind", hostname, "--save", "", "--appendonly", "no"],
    stdout: "piped",
    stderr: "null",
    stdin: "null",
  }).spawn();
  const output = server.stdout.pipeThrough(new TextDecoderStream());
  for await (const text of output.values({ preventCancel: true })) {
    if (text.includes("Ready to accept connections")) break;
  }
  const rest = output.cancel();
  return {
    addresses: [{ hostname, port }],
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
      await rest;
    },
  };
}

async function hasRedis(): Promise<boolean> {
  try {
    return (await new Deno.Command("redis-server", { args: ["--version"], stdout: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const SERVERS: Readonly<Record<string, () => Target | Promise<Target>>> = {
  "echo.ts": () => serve(lines, (line) => [line]),
  "redis.ts": redis,
  "smtp.ts": smtp,
  "login.ts": store,
  "binary.ts": () => serve(lengthPrefixCodec({ prefix: 4 }), (frame) => [frame]),
  "websocket.ts": webSocket,
  "rpc.ts": squares,
  "data.ts": () => serve(lines, (line) => [/^LOGIN \w+ secret-\w+$/.test(line) ? "OK" : "NO"]),
  "relay.ts": () => startRelay({ port: 0, hostnames: ["127.0.0.1"] }) as unknown as Target,
};

for (const [name, start] of Object.entries(SERVERS)) {
  Deno.test({
    name: `docs/scenarios.md: ${name} is delivered against a server of its protocol`,
    ignore: name === "redis.ts" && !await hasRedis(),
    fn: async () => {
      await using dir = new TempDir();
      await dir.write(name, EXAMPLES.get(name)!);
      const clients = name === "rpc.ts" ? 1 : 10;
      const users = Array.from({ length: clients }, (_, index) => `user${index},secret-${index}`);
      await dir.write("users.csv", ["name,password", ...users].join("\n"));
      const scenario = await importScenario(pathToFileURL(`${dir.path}/${name}`).href, name);
      const data = scenario.data === undefined ? {} : { data: `${dir.path}/${scenario.data}` };
      await using server = await start();
      const run = await runLoadTest({
        scenario: { ...scenario, ...data },
        target: server.addresses,
        clients,
        seed: 1,
      });
      assertProven(run);
    },
  });
}

Deno.test("docs/scenarios.md has ten examples, each run by a test", () => {
  // The last one is a test itself, which the documentation tests run.
  assertEquals([...EXAMPLES.keys()].sort(), [...Object.keys(SERVERS), "in_a_test.ts"].sort());
});
