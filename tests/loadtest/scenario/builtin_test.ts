import { assertEquals } from "@std/assert";
import { assertProven, type LoadTestRun, runLoadTest, type Scenario } from "../../../loadtest/mod.ts";
import echo from "../../../loadtest/scenario/builtin/echo.ts";
import hello from "../../../loadtest/scenario/builtin/hello.ts";
import relay from "../../../loadtest/scenario/builtin/relay.ts";
import { HistoryVerifier } from "../../../loadtest/history/verify.ts";
import { startRelay } from "../../../relay/mod.ts";
import { startEcho, startHello } from "../../../services/mod.ts";
import { bytesCodec, type Connection, listen } from "../../../socket/mod.ts";
import type { Address } from "../../../socket/network.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const permissions = "none";
const CLIENTS = 50;

type Seam = Simulation["seam"];

interface Server {
  readonly addresses: readonly Address[];
  stats(): object;
  close(): Promise<void>;
}

/** Runs a scenario against a server in memory, and judges its history again. */
async function run<Frame, Shared>(
  scenario: Scenario<Frame, Shared>,
  start: (seam: Seam) => Server,
  load: { messages?: number; inFlight?: number } = {},
): Promise<LoadTestRun> {
  const world = new Simulation({ latency: 1 });
  const server = start(world.seam);
  const history = new HistoryVerifier();
  const run = await world.clock.runUntil(runLoadTest({
    scenario,
    target: server.addresses,
    clients: CLIENTS,
    timeout: "2s",
    ...world.seam,
    ...load,
    expectState: () => {
      const { connections = 0, pending = 0 } = server.stats() as { connections?: number; pending?: number };
      return Promise.resolve({ connections, pending });
    },
    onHistoryLine: (line) => history.push(line),
  }));
  await world.clock.runUntil(server.close());
  const { verdict, discrepancies, judgement } = history.end();
  assertEquals([verdict, discrepancies, judgement.findings], [run.verdict, [], run.findings]);
  return run;
}

function kinds({ findings }: LoadTestRun): string[] {
  return [...new Set(findings.map(({ kind }) => kind))].filter((kind) => kind !== "reason");
}

Deno.test("The echo scenario is proven at an echo server", { permissions }, async () => {
  const result = await run(echo, startEcho, { messages: 20, inFlight: 4 });
  assertProven(result);
  assertEquals(result.summary.acked, 20 * CLIENTS);
});

Deno.test("The hello scenario is proven at a hello server", { permissions }, async () => {
  const result = await run(hello, (seam) => startHello({ ...seam, delay: 500 }));
  assertProven(result);
  assertEquals([result.summary.acked, result.summary.closed.natural], [CLIENTS, CLIENTS]);
});

Deno.test("The relay scenario is proven at a relay, with several messages in flight", {
  permissions,
}, async () => {
  let server: ReturnType<typeof startRelay> | undefined;
  const result = await run(relay, (seam) => server = startRelay(seam), { messages: 20, inFlight: 4 });
  assertProven(result);
  const { acked, scenario } = result.summary;
  // A client that has closed its side cannot answer: the relay delivers its messages again.
  const delivered = acked + server!.stats().redelivered;
  assertEquals([acked, scenario?.handled], [20 * CLIENTS, delivered]);
});

type Mutation = (sent: { peer: Connection; line: string; number: number }) => void;

/** A relay that answers messages itself, and is wrong where `mutate` is. */
function wrongRelay(mutate: Mutation): (seam: Seam) => Server {
  return (seam) => {
    const server = listen(seam);
    let number = 0;
    server.serve(async (peer) => {
      for await (const line of peer) {
        if (!line.startsWith("message ")) continue;
        mutate({ peer, line: line.replace("message", "ok"), number: number++ });
      }
    });
    return server;
  };
}

const MUTANTS: readonly (readonly [name: string, finds: string, Mutation])[] = [
  ["loses an ok", "lost", ({ peer, line, number }) => void (number === 30 || peer.send(line))],
  ["sends an ok twice", "duplicate", ({ peer, line, number }) => {
    peer.send(line);
    if (number === 30) peer.send(line);
  }],
  ["sends an ok that no client asked for", "unexpected", ({ peer, line, number }) => {
    if (number === 30) peer.send("ok of nothing");
    peer.send(line);
  }],
];

for (const [name, finds, mutate] of MUTANTS) {
  Deno.test(`The relay scenario finds "${finds}" when the relay ${name}`, { permissions }, async () => {
    const result = await run(relay, wrongRelay(mutate), { messages: 4 });
    assertEquals([result.verdict, kinds(result).filter((kind) => kind !== "unnatural")], ["failed", [finds]]);
  });
}

Deno.test(
  "The hello scenario finds a response that is cut off, not HTTP, an error, or sent twice",
  { permissions },
  async () => {
    const cases = [
      ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "truncated"],
      ["HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "wrong"],
      ["SSH-2.0-OpenSSH_9.2\r\n", "lost"],
      ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".repeat(2), "duplicate"],
    ] as const;
    for (const [response, finds] of cases) {
      const result = await run(hello, (seam) => {
        const server = listen({ ...seam, codec: bytesCodec });
        server.serve((peer) => void peer.send(new TextEncoder().encode(response)));
        return server;
      });
      assertEquals([result.verdict, kinds(result)[0]], ["failed", finds]);
    }
  },
);
