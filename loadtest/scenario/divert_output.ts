/** Keeps what a scenario prints out of the messages of its process. @module */
import { Console } from "node:console";
import process from "node:process";

/** The parts of `Deno.stdout` that a scenario may write with. */
const WRITERS = ["write", "writeSync"] as const;

/**
 * Sends to stderr what `console`, `Deno.stdout`, and `process.stdout` print, because a generator process writes its messages
 * to stdout, and the load test its result. Disposing of it ends that. A program that must write to stdout in between keeps
 * the original `writeSync`.
 */
export function divertOutput(): Disposable {
  const { console } = globalThis;
  const { write } = process.stdout;
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr });
  Reflect.set(process.stdout, "write", process.stderr.write.bind(process.stderr));
  for (const name of WRITERS) {
    Reflect.set(Deno.stdout, name, (bytes: Uint8Array) => Deno.stderr[name](bytes));
  }
  Object.defineProperty(Deno.stdout, "writable", { configurable: true, get: () => Deno.stderr.writable });
  return {
    [Symbol.dispose]() {
      globalThis.console = console;
      Reflect.set(process.stdout, "write", write);
      for (const name of [...WRITERS, "writable"]) Reflect.deleteProperty(Deno.stdout, name);
    },
  };
}
