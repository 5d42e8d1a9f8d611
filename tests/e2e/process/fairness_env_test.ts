import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { FAIR_IO_VARIABLE } from "../../../cli/run_program.ts";

const PROGRAM = new URL("../../_util/programs/sample_program.ts", import.meta.url).pathname;
const ROOT = new URL("../../..", import.meta.url).pathname;

/** In a Worker, because the variable is not set, and on the first thread, because it is. */
const MODES = [
  { mode: "in a Worker", env: {}, more: [] },
  { mode: "in a Worker without a limit of its heap", env: {}, more: ["--unlimited"] },
  { mode: "on the first thread", env: { [FAIR_IO_VARIABLE]: "64" }, more: [] },
];

interface Start {
  /** Arguments after the others. */
  readonly more?: readonly string[];
  readonly env?: Record<string, string>;
  readonly permissions?: readonly string[];
  readonly stdin?: "piped" | "null";
}

function program(
  args: readonly string[],
  { more = [], env = {}, permissions = ["-A"], stdin = "piped" }: Start = {},
): Deno.Command {
  const { [FAIR_IO_VARIABLE]: _, ...rest } = Deno.env.toObject();
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, PROGRAM, ...args, ...more],
    clearEnv: true,
    env: { ...rest, NO_COLOR: "1", ...env },
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

async function outcome(
  args: readonly string[],
  start: Start = {},
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await program(args, { ...start, stdin: "null" }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("run() runs the program in a Worker with fair I/O if the variable is not set", async () => {
  const { code, out, err } = await outcome(["where", "--x", "é"]);
  assertEquals(JSON.parse(out), { args: ["--x", "é"], fair: true, variable: "64", worker: true });
  assertEquals([code, err], [0, ""]);
});

Deno.test("run() stays on its thread if the variable is set to any number", async () => {
  const { code, out, err } = await outcome(["where"], { env: { [FAIR_IO_VARIABLE]: "32" } });
  assertEquals(JSON.parse(out), { args: [], fair: true, variable: "32", worker: false });
  assertEquals([code, err], [0, ""]);
});

for (
  const { permissions, lacking } of [
    { permissions: [], lacking: "all permissions" },
    { permissions: [`--allow-env=${FAIR_IO_VARIABLE}`], lacking: "the permission to read its folder" },
    { permissions: [`--allow-read=${ROOT}`], lacking: "the permission for the variable" },
  ]
) {
  Deno.test(`run() warns in one line and runs without fair I/O if it lacks ${lacking}`, async () => {
    const { code, out, err } = await outcome(["where"], { permissions });
    assertEquals(JSON.parse(out), { args: [], fair: false, variable: null, worker: false });
    assertEquals(code, 0);
    assertMatch(err, new RegExp(`^warning: .*set ${FAIR_IO_VARIABLE}=64 .*\n$`));
  });
}

Deno.test("run() needs only the variable and its folder", async () => {
  const permissions = [`--allow-env=${FAIR_IO_VARIABLE}`, `--allow-read=${ROOT}`];
  const { out, err } = await outcome(["where"], { permissions });
  assertEquals(JSON.parse(out), { args: [], fair: true, variable: "64", worker: true });
  assertEquals(err, "");
});

Deno.test("run() exits with 1 when the program ends its own Worker", async () => {
  assertEquals(await outcome(["leave"]), { code: 1, out: "", err: "" });
});

for (const { mode, ...start } of MODES) {
  Deno.test(`run() exits with the program's code ${mode}`, async () => {
    assertEquals(await outcome(["threshold"], start), { code: 99, out: "", err: "" });
  });

  Deno.test(`run() prints an ExitError as one line and exits with its code ${mode}`, async () => {
    assertEquals(await outcome(["fail"], start), { code: 3, out: "", err: "error: Port 1 is in use\n" });
  });

  for (
    const [behavior, message] of [
      ["throw", "Broken inside"],
      ["throw-later", "Broken later"],
      ["reject-later", "Broken promise"],
    ] as const
  ) {
    Deno.test(`run() prints any other error once, with its stack trace, and exits with 1 ${mode}: ${behavior}`, async () => {
      const { code, out, err } = await outcome([behavior], start);
      assertEquals([code, out], [1, ""]);
      assertEquals(err.match(/^error: Uncaught/gm)?.length, 1, err);
      assertStringIncludes(err, `Error: ${message}`);
      assertStringIncludes(err, "sample_program.ts");
    });
  }

  Deno.test(`run() writes all output before it exits ${mode}`, async () => {
    const { code, out } = await outcome(["flood"], start);
    const lines = out.split("\n");
    assertEquals([code, lines.length, lines[19_999]?.split(" ")[0]], [0, 20_001, "19999"]);
  });

  Deno.test(`run() exits while a read of stdin is pending ${mode}`, async () => {
    await using child = program(["unread-stdin"], start).spawn();
    const { code } = await child.status; // stdin is still open
    assertEquals(code, 99);
    await Promise.all([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()]);
  });

  Deno.test(`run() leaves stdin to the program ${mode}`, async () => {
    await using child = program(["stdin"], start).spawn();
    const stdin = child.stdin.getWriter();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
    for (const word of ["state", "again"]) {
      await stdin.write(new TextEncoder().encode(`${word}\n`));
      assertEquals((await lines.read()).value, `got ${word}`);
    }
    await stdin.close();
    assert((await lines.read()).done);
    assertEquals((await child.status).code, 0);
    await child.stderr.cancel();
  });

  Deno.test(`run() passes signals to a program that listens for them ${mode}`, async () => {
    await using child = program(["signals"], start).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
    assertEquals((await lines.read()).value, "ready");
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
      child.kill(signal);
      assertEquals((await lines.read()).value, signal);
    }
    assertEquals((await child.status).code, 130);
    assert((await lines.read()).done);
    await Promise.all([child.stdin.close(), child.stderr.cancel()]);
  });

  Deno.test(`run() leaves other signals to the OS ${mode}`, async () => {
    await using child = program(["no-signals"], start).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
    assertEquals((await lines.read()).value, "ready");
    child.kill("SIGINT");
    assertEquals((await child.status).signal, "SIGINT");
    assert((await lines.read()).done);
    await Promise.all([child.stdin.close(), child.stderr.cancel()]);
  });
}
