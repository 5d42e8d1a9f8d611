import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { run } from "../helpers/program.ts";

const ROOT = new URL("../../", import.meta.url);

/** `deno run` with a permission set, and asked nothing. */
function withSet(set: string, program: string, ...args: string[]): [string, ...string[]] {
  return [Deno.execPath(), "run", "--no-prompt", `-P=${set}`, new URL(program, ROOT).pathname, ...args];
}

Deno.test("server.ts and client.ts run with their permission sets alone", async () => {
  const [program, ...args] = withSet("server", "server.ts", "relay", "--port", "0", "--host", "127.0.0.1");
  const server = new Deno.Command(program, { args, stdout: "piped", stderr: "null" }).spawn();
  const output = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("\n")) said += (await output.read()).value ?? "";
  const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1] ?? "";
  const client = await run(withSet("client", "client.ts", "relay", "--clients", "3", "--port", port));
  server.kill("SIGTERM");
  await server.status;
  await output.cancel();
  assertStringIncludes(client.out, "3 of 3 acknowledged");
  assertEquals(client.code, 0);
});

Deno.test("server.ts says in a line what it may not do", async () => {
  const { code, err } = await run(withSet("server", "server.ts", "echo", "--port", "0", "--host", "0.0.0.0"));
  assertEquals(code, 1);
  assertMatch(err, /Cannot listen on 0\.0\.0\.0 port 0: Requires net access/);
});
