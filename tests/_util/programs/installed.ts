/** Programs of others that tests use if they are installed, and their ports. */

/** Whether a program can be run. */
export async function isInstalled(program: string, ...args: readonly string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, {
      args: args.length > 0 ? [...args] : ["--version"],
      stdout: "null",
      stderr: "null",
    });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/**
 * Returns a port that is free on all of these addresses, below those that the system gives to clients: a program that binds it
 * a little later finds it free.
 */
export function freePort(...hostnames: readonly string[]): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      for (const hostname of hostnames.length === 0 ? ["127.0.0.1"] : hostnames) {
        Deno.listen({ hostname, port }).close();
      }
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** A program that runs until it is disposed of. */
export function runProgram(program: string, args: readonly string[]): AsyncDisposable {
  const child = new Deno.Command(program, { args: [...args], stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** Asks until the answer holds, for at most `ms`. A failed request is asked again. */
export async function askUntil<Answer>(
  ask: () => Promise<Answer>,
  holds: (answer: Answer) => boolean,
  ms = 60_000,
): Promise<Answer> {
  const giveUpAt = performance.now() + ms;
  let last: unknown;
  while (performance.now() < giveUpAt) {
    try {
      const answer = await ask();
      if (holds(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It did not come about within ${ms} ms: ${Deno.inspect(last)}`);
}
