/** Keeps a scenario from ending the process that runs it. @module */

/** A scenario called `Deno.exit()`, or `exit()` of `node:process`, which calls it. */
export class ExitForbiddenError extends Error {
  /** Always `ExitForbiddenError`. */
  override readonly name = "ExitForbiddenError";

  constructor(code: unknown) {
    super(`Cannot call Deno.exit(${String(code)}): it would lose the results of the load test`);
  }
}

/**
 * Makes `Deno.exit()` throw, because it would end all clients of the process, and their results with it. Disposing of it
 * allows exits again. A program that must exit in between keeps the original function.
 */
export function forbidExit(): Disposable {
  const { exit } = Deno;
  const forbidden = (code: unknown = Deno.exitCode): never => {
    throw new ExitForbiddenError(code);
  };
  Reflect.set(Deno, "exit", forbidden);
  return {
    [Symbol.dispose]() {
      Reflect.set(Deno, "exit", exit);
    },
  };
}
