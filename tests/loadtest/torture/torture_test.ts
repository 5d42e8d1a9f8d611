/** A small version of the torture suite, against servers that pass it and servers that do not. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { randomStream } from "../../../loadtest/plan/seeded_random.ts";
import { torture, type TortureOptions, type TortureResult } from "../../../loadtest/torture/torture.ts";
import { startRelay } from "../../../relay/server.ts";
import { listen } from "../../../socket/listen.ts";
import { unusedAddress } from "../../_util/network/proxy_backend.ts";

const SMALL = { scale: 0.003, patience: 1000 };
/** A server that passes answers at once. Only a busy machine takes this long. */
const PATIENT = { patience: 30_000 };

async function tortured(
  port: number,
  { hostname = "127.0.0.1", ...options }: Partial<TortureOptions> & { hostname?: string } = {},
): Promise<TortureResult[]> {
  const target = { hostname, port };
  return await Array.fromAsync(torture({ target, random: randomStream(1, "fault"), ...SMALL, ...options }));
}

/** Faults by case. */
function faults(results: readonly TortureResult[]): Record<string, string> {
  return Object.fromEntries(results.flatMap(({ name, fault }) => fault === undefined ? [] : [[name, fault]]));
}

Deno.test("torture() passes every case on a relay, which is left with nothing", async () => {
  await using server = startRelay({ limits: { maxLine: 1024 } });
  const results = await tortured(server.port, { maxLine: 1024, ...PATIENT });
  assertEquals(faults(results), {});
  assertEquals(results.length, 14);
  const { pending, timers, queuedBytes, closed } = await server.until((stats) => stats.connections === 0);
  assertEquals([pending, timers, queuedBytes], [0, 0, 0]);
  assert(closed.reset > 0 && closed.framing > 0 && closed.natural > 0);
});

Deno.test("torture() passes every case on a line echo server, which is left with nothing", async () => {
  await using server = listen({ limits: { maxLine: 1024 } });
  const served = server.serve(async (peer) => {
    for await (const line of peer) {
      if (!peer.send(line)) await peer.flushed().catch(() => {});
    }
  });
  assertEquals(faults(await tortured(server.port, { maxLine: 1024, ...PATIENT })), {});
  const { queuedBytes } = await server.until((stats) => stats.connections === 0);
  assertEquals(queuedBytes, 0);
  await server.close();
  await served;
});

Deno.test("torture() finds a server without a line limit", async () => {
  await using server = listen({ limits: { maxLine: 64 * 1024 * 1024 } });
  const served = server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const results = await tortured(server.port, { only: "line", maxLine: 1024, patience: 200 });
  const found = faults(results);
  assertStringIncludes(found["line limit"] ?? "", "a line of 1025 bytes is not refused");
  assertStringIncludes(found["no line end"] ?? "", "accepted 3 MiB without a line end");
  for (const fault of Object.values(found)) assertStringIncludes(fault, "--max-line");
  await server.close();
  await served;
});

Deno.test("torture() suggests --max-line when a line within the default limit is refused", async () => {
  await using server = startRelay({ limits: { maxLine: 1024 } });
  const found = faults(await tortured(server.port, { only: "line limit" }));
  assertStringIncludes(
    found["line limit"] ?? "",
    "does not have the limit of 65536 bytes (--max-line sets another): a line of 65535 bytes, which is within " +
      "the limit, is finished by the server, answer: error line is over the limit of 1024 bytes; ",
  );
});

Deno.test("torture() sends more than the longest accepted line without a line end", async () => {
  const maxLine = 4 * 1024 * 1024;
  await using server = startRelay({ limits: { maxLine } });
  const [result] = await tortured(server.port, { only: "no line end", maxLine, ...PATIENT });
  assertEquals(result?.fault, undefined, result?.saw);
});

Deno.test("torture() reports a server that has died, and a case that does not end", async () => {
  const { hostname, port } = await unusedAddress();
  const [result] = await tortured(port, { hostname, only: "CR" });
  assertStringIncludes(result?.fault ?? "", "Cannot connect: refused");
  assertEquals(result?.probeMs, null);
  await using slow = startRelay();
  const [late] = await tortured(slow.port, { only: "a byte per second", caseTimeout: 50 });
  assertEquals(late?.fault, "not done within 50 ms");
});
