// A program for tests/e2e/process/fairness_env_test.ts: its first argument selects a behavior.
import { isMainThread } from "node:worker_threads";
import { type Context, FAIR_IO_VARIABLE, hasFairIo, run } from "../../../cli/run_program.ts";
import { ExitCode, ExitError } from "../../../cli/terminal/exit.ts";
import { writeLine } from "../../../cli/terminal/write.ts";

/** The last argument, for a Worker without a limit of its heap. */
const UNLIMITED = "--unlimited";

const say = (text: string) => writeLine(Deno.stdout, text);

async function main({ args, onSignal }: Context): Promise<ExitCode> {
  switch (args[0]) {
    case "where":
      say(JSON.stringify({
        args: args.slice(1),
        fair: hasFairIo(),
        variable: hasFairIo() ? Deno.env.get(FAIR_IO_VARIABLE) : null,
        worker: !isMainThread,
      }));
      return ExitCode.ok;
    case "threshold":
      return ExitCode.threshold;
    case "fail":
      await Promise.resolve();
      throw new ExitError("Port 1 is in use", { exitCode: ExitCode.invalid });
    case "throw":
      throw new Error("Broken inside");
    case "throw-later":
      setTimeout(() => {
        throw new Error("Broken later");
      }, 0);
      return await new Promise(() => {});
    case "reject-later":
      Promise.reject(new Error("Broken promise"));
      return await new Promise(() => {});
    case "leave":
      Deno.exit(ExitCode.ok);
      break;
    case "flood":
      for (let i = 0; i < 20_000; i++) say(`${i} ${"x".repeat(100)}`);
      return ExitCode.ok;
    case "unread-stdin": {
      const read = Deno.stdin.read(new Uint8Array(1));
      read.catch(() => {});
      return ExitCode.threshold;
    }
    case "stdin":
      for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
        say(`got ${text.trim()}`);
      }
      return ExitCode.ok;
    case "signals": {
      let seen = 0;
      const done = Promise.withResolvers<ExitCode>();
      onSignal(["SIGINT", "SIGTERM", "SIGHUP"], (signal) => {
        say(signal);
        if (++seen === 3) done.resolve(ExitCode.interrupted);
      });
      return await stayUntil(done.promise);
    }
    case "no-signals":
      return await stayUntil(new Promise<ExitCode>(() => {}));
  }
  throw new TypeError(`Cannot run: unknown behavior ${args[0]}`);
}

/** Prints that it is ready, and keeps the process alive, which a promise alone does not. */
async function stayUntil(done: Promise<ExitCode>): Promise<ExitCode> {
  const alive = setInterval(() => {}, 60_000);
  say("ready");
  const code = await done;
  clearInterval(alive);
  return code;
}

if (import.meta.main) {
  await run(main, import.meta, { youngGeneration: Deno.args.at(-1) === UNLIMITED ? 0 : undefined });
}
