import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { TextLineStream } from "@std/streams/text-line-stream";
import type { Address } from "../../../socket/network.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { askAdmin } from "../../_util/admin/admin_client.ts";
import { chromium, withServedPage } from "../../_util/browser/browser.ts";
import { denoRun, run, type ServerEvent, ServerProcess } from "../../_util/programs/program.ts";

/** Time in ms between two looks at the state of a load test. */
const LOOK_INTERVAL = 20;

async function adminOf(server: ServerProcess): Promise<string> {
  const { host, port } = await server.next("admin");
  return `${host}:${port}`;
}

Deno.test("loadtest.ts --target-admin proves delivery at a server that it did not start", async () => {
  await using server = await ServerProcess.start("relay", "--admin", "127.0.0.1:0");
  const admin = await adminOf(server);
  const target = ["--target", `127.0.0.1:${server.port}`, "--target-admin", admin];
  // The second run must not count what the first one did.
  for (const clients of [50, 30]) {
    const { code, out } = await run(
      denoRun("loadtest.ts", [
        "--clients",
        `${clients}`,
        "--window",
        "300ms",
        "--max-lag",
        "60s",
        ...target,
        "--json",
        "--quiet",
      ]),
    );
    const summary = JSON.parse(out.trim().split("\n").at(-1)!);
    assertEquals([summary.verdict, code, summary.acked], ["proven", 0, clients]);
    assertEquals([summary.server.connections, summary.server.pending], [0, 0]);
    assertEquals(summary.server.closed.natural, clients);
  }
});

Deno.test("loadtest.ts --target-admin fails a run that leaves something at the server", async () => {
  // A client that times out half-closes, and the server keeps it for the ack timeout.
  const options = ["--no-redeliver", "--ack-timeout", "100ms"];
  await using server = await ServerProcess.start("relay", "--admin", "127.0.0.1:0", ...options);
  const admin = await adminOf(server);
  // A connection of somebody else is still open when the run has ended.
  using other = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await server.until(({ connections }) => connections === 1);
  const { code, out } = await run(
    denoRun("loadtest.ts", [
      ...["--protocol", "relay", "--clients", "1", "--window", "0", "--timeout", "300ms", "--max-lag", "60s"],
      ...["--target", `127.0.0.1:${server.port}`, "--target-admin", admin, "--json", "--quiet"],
    ]),
  );
  const summary = JSON.parse(out.trim().split("\n").at(-1)!);
  assertEquals([summary.verdict, code, summary.server.connections], ["failed", 1, 1]);
  assert(other.localAddr !== undefined);
});

Deno.test("loadtest.ts --target-admin does not start when the target has no state", async () => {
  await using server = await ServerProcess.start("http");
  const address = `127.0.0.1:${server.port}`;
  const { code, err } = await run(denoRun("loadtest.ts", ["--target", address, "--target-admin", address]));
  assertEquals(code, 2);
  assertStringIncludes(err, `Cannot use --target-admin ${address}: no admin server of okline answers there`);
  assertEquals((await run(denoRun("loadtest.ts", ["--target-admin", address]))).code, 2);
});

/** A load test that runs until it is stopped, however late its clients start. */
async function withLoadTest(
  use: (admin: Address, ended: Promise<ServerEvent>) => Promise<void>,
  more: readonly string[] = [],
): Promise<void> {
  const [program, ...args] = denoRun("loadtest.ts", [
    ...["--clients", "20000", "--window", "200s", "--admin", "127.0.0.1:0", "--json", "--quiet"],
    ...ANY_LAG,
    ...more,
  ]);
  const child = new Deno.Command(program, { args, stdout: "piped", stderr: "null" }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough<string>(new TextLineStream())
    [Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  try {
    const { event, host, port } = await next();
    assertEquals(event, "admin");
    const ended = next();
    ended.catch(() => {}); // It fails, too, if `use` does: that error is the one to see.
    await use({ hostname: host, port }, ended);
    assertEquals((await ended).verdict, "interrupted");
    assertEquals((await child.status).code, 130);
  } catch (error) {
    child.kill("SIGKILL");
    await child.status;
    throw error;
  } finally {
    await lines.return?.();
  }
}

Deno.test("loadtest.ts --admin reports progress, and stops when asked", async () => {
  await withLoadTest(async (admin, ended) => {
    const state = async () => JSON.parse((await askAdmin(admin, "/state")).text);
    let now = await state();
    for (; now.acknowledged === 0; now = await state()) await delay(LOOK_INTERVAL);
    assertEquals([now.phase, now.clients, now.verdict], ["running", 20_000, null]);
    assert(now.started >= now.acknowledged && now.latency.p50 > 0);
    assertStringIncludes((await askAdmin(admin, "/metrics")).text, "okline_loadtest_clients 20000");
    assertEquals((await askAdmin(admin, "/stop")).status, 405);
    assertEquals((await askAdmin(admin, "/stop", { method: "POST" })).status, 202);
    const summary = await ended;
    assert(Number(summary.acked) >= now.acknowledged);
  });
});

Deno.test("loadtest.ts --admin pauses the clients of all processes, resumes them, and reports it", async () => {
  await withLoadTest(async (admin, ended) => {
    const state = async () => JSON.parse((await askAdmin(admin, "/state")).text);
    const post = async (path: string) => JSON.parse((await askAdmin(admin, path, { method: "POST" })).text);
    const until = async (holds: (now: { started: number; finished: number; elapsed: number }) => boolean) => {
      for (;;) {
        const now = await state();
        if (holds(now)) return now;
        await delay(LOOK_INTERVAL);
      }
    };
    const { stages } = await until(({ started }) => started > 20);
    assertEquals(stages.map(({ label }: { label: string }) => label), [
      "20000 clients start (uniform)",
      "Last replies",
    ]);
    assertEquals((await post("/pause")).paused, true);
    assertEquals(await post("/pause"), { error: "Cannot pause: the load test is paused" });
    // The figures of the processes are up to a second old. Then every client has its ok, and nothing more starts.
    const { elapsed } = await state();
    const { started } = await until((now) => now.elapsed > elapsed + 1500 && now.started === now.finished);
    assertEquals((await until((now) => now.elapsed > elapsed + 3000)).started, started);
    assertEquals((await post("/rate?speed=2")).speed, 2);
    assertEquals((await post("/resume")).paused, false);
    const now = await until((now) => now.started > started + 20);
    assertEquals([now.speed, now.verdictSoFar, now.findings], [2, null, []]);
    assertEquals(await post("/stop"), { stopping: true });
    const { pace, scheduleLag } = await ended as unknown as {
      readonly pace: { readonly pauses: number; readonly pausedMs: number };
      readonly scheduleLag: { readonly p99: number };
    };
    assertEquals(pace.pauses, 1);
    // A pause is not lag.
    assert(pace.pausedMs > 1000 && scheduleLag.p99 < pace.pausedMs, JSON.stringify({ pace, scheduleLag }));
  }, ["--processes", "2"]);
});

Deno.test({
  name: "loadtest.ts --admin shows a page whose Pause button stops the metrics until the run is resumed",
  ignore: chromium === undefined,
  fn: async () => {
    await withLoadTest(async ({ hostname, port }, ended) => {
      await withServedPage(`http://${hostname}:${port}/`, async ({ page, complaints }) => {
        const started = `Number([...document.querySelectorAll("#tiles > div")]` +
          `.find((pair) => pair.firstChild.textContent === "Started")?.lastChild.textContent.replace(",", ""))`;
        const status = (text: string) => `document.getElementById("status").textContent === "${text}"`;
        await page.waitForFunction(`${started} > 0`);
        await page.locator(`button[data-action="pause"]`).click();
        await page.waitForFunction(status("Paused"));
        const elapsed = `[...document.querySelectorAll("#tiles > div")][0].lastChild.textContent`;
        // Two later samples show the same figure.
        for (let sample = 0; sample < 2; sample++) {
          const before = await page.evaluate(elapsed);
          await page.waitForFunction(`${elapsed} !== ${JSON.stringify(before)}`);
        }
        const stopped = Number(await page.evaluate(started));
        const before = await page.evaluate(elapsed);
        await page.waitForFunction(`${elapsed} !== ${JSON.stringify(before)}`);
        assertEquals(Number(await page.evaluate(started)), stopped);
        await page.locator(`button[data-action="resume"]`).click();
        await page.waitForFunction(`${status("Running")} && ${started} > ${stopped}`);
        await page.select("#speed", "5");
        await page.waitForFunction(
          `document.getElementById("tiles").textContent.includes("× 5")`,
        );
        assertEquals(
          await page.evaluate(`document.querySelector("#stages [aria-current]").firstChild.textContent`),
          "20000 clients start (uniform)",
        );
        assertEquals(complaints, []);
      });
      await askAdmin({ hostname, port }, "/stop", { method: "POST" });
      await ended;
    });
  },
});

Deno.test({
  name: "loadtest.ts --admin shows a page whose figures move, and whose button stops the run",
  ignore: chromium === undefined,
  fn: async () => {
    await withLoadTest(async ({ hostname, port }, ended) => {
      await withServedPage(`http://${hostname}:${port}/`, async ({ page, complaints }) => {
        const acked = `Number([...document.querySelectorAll("#tiles > div")]` +
          `.find((pair) => pair.firstChild.textContent === "Acknowledged")?.lastChild.textContent.replace(",", ""))`;
        await page.waitForFunction(`${acked} > 0`);
        const before = Number(await page.evaluate(acked));
        await page.waitForFunction(`${acked} > ${before}`);
        await page.waitForFunction(`document.getElementById("status").textContent === "Running"`);
        await page.locator(`button[data-action="stop"]`).click();
        await page.locator("#confirm-yes").click();
        await ended;
        await page.waitForFunction(
          `/Interrupted|Not connected/.test(document.getElementById("status").textContent)`,
        );
        assertEquals(complaints.filter((text) => !text.includes("ERR_")), []);
      });
    });
  },
});
