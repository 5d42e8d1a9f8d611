import { assertEquals } from "@std/assert";
import { LocalGenerator } from "../../../loadtest/generate/generator.ts";
import type { RunEvent } from "../../../loadtest/history/events.ts";
import { SpawnedServer } from "../../../loadtest/process/spawned_server.ts";
import { Plan } from "../../../loadtest/plan/plan.ts";
import { runPlan } from "../../../loadtest/run_plan.ts";
import { ANY_LAG_MS } from "../../_util/loadtest/any_lag.ts";
import { systemClock, systemNetwork, systemRandom } from "../../../socket/mod.ts";

const MUTANT = new URL("../../_util/programs/mutant_server.ts", import.meta.url).pathname;
const CLIENTS = 200;

/** Returns the leftovers of a server that leaks, in a separate process. */
async function findings(leak: string): Promise<string[]> {
  const plan = new Plan({
    seed: 7,
    clients: CLIENTS,
    window: 500,
    arrival: "uniform",
    replyDelay: { type: "none" },
    payload: { type: "short" },
  });
  const server = await start(leak);
  const run: RunEvent = {
    event: "run",
    schema: 1,
    seed: 7,
    clients: CLIENTS,
    protocol: "relay",
    server: "own",
    faults: false,
    maxLag: ANY_LAG_MS,
  };
  const clock = systemClock;
  const generator = new LocalGenerator({
    run,
    plan,
    targets: server.addresses,
    network: systemNetwork,
    clock,
    random: systemRandom,
  });
  const { judgement } = await runPlan({
    plan,
    generator,
    clock,
    server: {
      finalState: async () => {
        // What is leaked stays; the clients' connections go, however long that takes on a busy machine.
        while (((await server.state())?.connections ?? 0) > 0);
        return await server.untilZero(500);
      },
    },
  });
  await server.stop();
  assertEquals(judgement.counts.acked, CLIENTS);
  return judgement.findings.filter(({ kind }) => kind !== "unnatural").map(({ text }) => text);
}

function start(leak: string, options: { readonly grace?: number } = {}): Promise<SpawnedServer> {
  return SpawnedServer.start({
    command: [Deno.execPath(), "run", "-A", MUTANT, leak],
    hostnames: ["127.0.0.1"],
    ...options,
  });
}

Deno.test("SpawnedServer.hung is undefined when the server ends by itself", async () => {
  const server = await start("nothing");
  assertEquals([(await server.stop()).signal, server.hung], [null, undefined]);
});

Deno.test("SpawnedServer.hung names the time when the server had to be killed", async () => {
  const server = await start("stay", { grace: 100 });
  assertEquals(server.hung, undefined);
  assertEquals([(await server.stop()).signal, server.hung], ["SIGKILL", "did not end within 100ms"]);
});

Deno.test("SpawnedServer.hung is undefined when something else killed the server", async () => {
  const server = await start("stay");
  Deno.kill(server.pid, "SIGKILL");
  assertEquals((await server.ended).signal, "SIGKILL");
  await server.stop();
  assertEquals(server.hung, undefined);
});

Deno.test("SpawnedServer.untilZero() returns zeros when the server leaks nothing", async () => {
  assertEquals(await findings("nothing"), []);
});

Deno.test("SpawnedServer.untilZero() counts one socket when the server leaks it", async () => {
  assertEquals(await findings("socket"), ["The server is left with 1 more socket than at its start"]);
});

Deno.test("SpawnedServer.untilZero() counts a leaked socket when one from its start has closed", async () => {
  assertEquals(await findings("less"), []);
  const leaked = await findings("less-and-socket");
  assertEquals(leaked, ["The server is left with 1 more socket than at its start"]);
});

Deno.test("SpawnedServer.untilZero() counts one timer when the server leaks it", async () => {
  assertEquals(await findings("timer"), ["The server is left with 1 running timer"]);
});
