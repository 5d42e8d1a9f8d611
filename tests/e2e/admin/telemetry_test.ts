import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { stripAnsiCode } from "@std/fmt/colors";
import { runRelayClient } from "../../../relay/client.ts";
import { connect } from "../../../socket/connect.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { denoRun, run } from "../../_util/programs/program.ts";

// Only at the exit. When an export is due in the same moment, the runtime may never exit: three of 250 runs did not with an
// export every 100 ms, and none of 250 with these.
const AT_EXIT = {
  OTEL_EXPORTER_OTLP_PROTOCOL: "console",
  OTEL_METRIC_EXPORT_INTERVAL: "600000",
  OTEL_BSP_SCHEDULE_DELAY: "600000",
};

/** Runs a server whose OpenTelemetry output goes to the console, until `use` has ended. Returns the output. */
async function withTelemetry(
  env: Readonly<Record<string, string>>,
  use: (port: number, admin: string) => Promise<void>,
): Promise<string> {
  const [program, ...args] = denoRun("server.ts", [
    "relay",
    ...["--port", "0", "--host", "127.0.0.1", "--admin", "127.0.0.1:0"],
  ]);
  const child = new Deno.Command(program, {
    args,
    env: { ...AT_EXIT, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  let changed = Promise.withResolvers<void>();
  const note = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += stripAnsiCode(text);
      changed.resolve();
      changed = Promise.withResolvers();
    }
    changed.resolve();
  };
  const noted = Promise.all([note(child.stdout), note(child.stderr)]);
  const said = async (pattern: RegExp): Promise<string> => {
    let found: string | undefined;
    while ((found = pattern.exec(output)?.[1]) === undefined) await changed.promise;
    return found;
  };
  const admin = await said(/admin on (127\.0\.0\.1:\d+)/);
  await use(Number(await said(/listening on 127\.0\.0\.1:(\d+)/)), admin);
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  await noted;
  return output;
}

/** The exported values of a metric without labels. */
function valuesOf(output: string, metric: string): string[] {
  const parts = output.split("METRIC ").filter((part) => part.startsWith(`${metric} `));
  return parts.map((part) => /\{\} value=(\d+)/.exec(part)?.[1] ?? "");
}

/** Two messages, each acknowledged. */
async function sendTwo(port: number): Promise<void> {
  await using client = await connect({ port });
  const lines = client[Symbol.asyncIterator]();
  for (const text of ["one", "two"]) {
    client.send(`message ${text}`);
    assertEquals((await lines.next()).value, `message ${text}`);
    client.send(`ok ${text}`);
    assertEquals((await lines.next()).value, `ok ${text}`);
  }
}

Deno.test("server.ts exports metrics and spans when OTEL_DENO is true", async () => {
  let seconds = 0;
  const output = await withTelemetry(
    { OTEL_DENO: "true", OTEL_TRACES_SAMPLER_ARG: "1" },
    async (port, admin) => {
      const before = performance.now();
      await sendTwo(port);
      seconds = (performance.now() - before) / 1000;
      // It is measured some time after the start.
      const lags = async () =>
        Number(
          /^okline_event_loop_lag_seconds_count (\d+)/m.exec(
            await (await fetch(`http://${admin}/metrics`)).text(),
          )?.[1],
        );
      while (!(await lags() > 0)) await delay(20);
    },
  );
  assertStringIncludes(output, "METRIC okline_connections (Gauge)");
  assert(valuesOf(output, "okline_messages_total").includes("2"));
  assert(valuesOf(output, "okline_settled_total").includes("2"));
  const acks = output.split("METRIC ").filter((part) =>
    part.startsWith("okline_ack_seconds (Histogram, unit=s)")
  );
  const [, sum] = /\{\} count=2 sum=(\S+) /.exec(acks.at(-1)!) ?? [];
  assert(Number(sum) > 0 && Number(sum) <= seconds, `${sum} of ${seconds} s`);
  assertStringIncludes(acks.at(-1)!, "bounds:  [0.0005, 0.001, 0.002,");
  assertStringIncludes(output, "METRIC okline_event_loop_lag_seconds (Histogram, unit=s)");
  const spans = (name: string) =>
    output.split(/^(?=SPAN|METRIC|LOG)/m).filter((part) => part.startsWith(`SPAN ${name} `));
  assertEquals(spans("message").length, 2, output);
  const [connection] = spans("connection");
  for (const attribute of ["okline.close_reason", "natural", "client.address", "127.0.0.1"]) {
    assertStringIncludes(connection!, attribute);
  }
});

Deno.test("server.ts makes no span that is not sampled", async () => {
  const output = await withTelemetry({ OTEL_DENO: "true", OTEL_TRACES_SAMPLER_ARG: "0" }, sendTwo);
  assertEquals(/^SPAN.*(message|connection)/m.test(output), false);
});

Deno.test("server.ts exports nothing when OTEL_DENO is not set", async () => {
  const output = await withTelemetry({}, async (port) => {
    assertEquals((await runRelayClient({ port, text: "hello" })).acknowledged, true);
  });
  assertEquals(/METRIC|SPAN/.test(output), false);
});

Deno.test("loadtest.ts exports its last metrics when it ends before the first export", async () => {
  const { code, err } = await run(
    denoRun("loadtest.ts", ["--clients", "20", "--window", "100ms", ...ANY_LAG, "--json", "--quiet"]),
    { env: { OTEL_DENO: "true", ...AT_EXIT } },
  );
  assertEquals(code, 0);
  const output = stripAnsiCode(err);
  for (const metric of ["okline_loadtest_acknowledged_total", "okline_loadtest_finished_total"]) {
    assertEquals(valuesOf(output, metric), ["20"], metric);
  }
  // Of the relay that the load test started.
  assertEquals(valuesOf(output, "okline_settled_total"), ["20"]);
});
