/** The permission sets of `deno.json`: enough for every service and its client, and nothing is asked for beyond them. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Authority } from "../../_util/tls/certificates.ts";
import { run } from "../../_util/programs/program.ts";

const ROOT = new URL("../../../", import.meta.url);

/** `deno run` with a permission set, and asked nothing. */
function withSet(set: string, program: string, ...args: string[]): [string, ...string[]] {
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    `-P=${set}`,
    new URL(program, ROOT).pathname,
    ...args,
  ];
}

/** `server.ts` with its permission set, listening. Disposing of it ends it. */
class ConfinedServer implements AsyncDisposable {
  readonly port: string;
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(
    child: Deno.ChildProcess,
    output: ReadableStreamDefaultReader<string>,
    port: string,
  ) {
    this.#child = child;
    this.#output = output;
    this.port = port;
  }

  static async start(...args: string[]): Promise<ConfinedServer> {
    const [program, ...all] = withSet("server", "server.ts", ...args, "--port", "0", "--host", "127.0.0.1");
    const child = new Deno.Command(program, { args: all, cwd: ROOT, stdout: "piped", stderr: "inherit" })
      .spawn();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("\n")) {
      const { done, value } = await output.read();
      if (done) throw new Error(`server.ts ${args.join(" ")} ended: ${said}`);
      said += value;
    }
    return new ConfinedServer(child, output, /:(\d+)\n/.exec(said)?.[1] ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#output.cancel();
    await this.#child.status;
  }
}

Deno.test("server.ts and client.ts run every service with only their permission sets", async () => {
  await using echo = await ConfinedServer.start("echo");
  const to = ["--to", `127.0.0.1:${echo.port}`];
  const cases: [service: string[], client: string[], says: string][] = [
    [["relay"], ["relay", "--clients", "3"], "3 of 3 acknowledged"],
    [["echo"], ["echo", "hello"], "hello"],
    [["hello", "--delay", "0"], ["hello"], "Hello World!"],
    [["files", "--root", "docs"], ["list"], "permissions.md"],
    [["udp"], ["udp", "hello"], "hello"],
    [["proxy", ...to], ["echo", "hello"], "hello"],
    [["balance", ...to], ["echo", "hello"], "hello"],
  ];
  for (const [service, client, says] of cases) {
    await using server = await ConfinedServer.start(...service);
    const { code, out, err } = await run(withSet("client", "client.ts", ...client, "--port", server.port));
    assertEquals([code, err.includes("NotCapable")], [0, false], `${service[0]}: ${err}`);
    assertStringIncludes(out, says);
  }
  await using http = await ConfinedServer.start("http");
  const url = `http://127.0.0.1:${http.port}/time`;
  assertStringIncludes((await run(withSet("client", "client.ts", "http", "GET", url))).out, '{"time":"');
  await using chat = await ConfinedServer.start("chat");
  const seat = ["chat", "--name", "ann", "--port", chat.port];
  const { out } = await run(withSet("client", "client.ts", ...seat), { stdin: "/quit\n" });
  assertStringIncludes(out, "Hello ann");
});

Deno.test("server.ts reports a missing permission in one line", async () => {
  const { code, err } = await run(withSet("server", "server.ts", "echo", "--port", "0", "--host", "0.0.0.0"));
  assertEquals(code, 1);
  assertMatch(err, /Cannot listen on 0\.0\.0\.0 port 0: Requires net access/);
});

Deno.test("server.ts and client.ts report in one line a file or address that they are not permitted to use", async () => {
  await using authority = await Authority.create();
  await authority.issue("server");
  const { certificate, key, authority: ca } = authority.files;
  const cases: [set: string, args: string[], says: string][] = [
    ["server", ["echo", "--tls-cert", certificate, "--tls-key", key], `Cannot read "${certificate}"`],
    ["server", ["files", "--root", "/"], 'Cannot serve the files of "/": Requires read access'],
    [
      "server",
      ["files", "--root", "docs", "--writable"],
      'Cannot accept uploads in "docs": Requires write access',
    ],
    ["server", ["chat", "--users", ca], `Cannot read the accounts in "${ca}": Requires read access`],
    [
      "server",
      ["relay", "--history", "x.jsonl"],
      'Cannot write the history "x.jsonl": Requires write access',
    ],
    ["server", ["relay", "--processes", "2"], "Cannot start the processes: Requires write access"],
    ["server", ["echo", "--processes", "2"], "Cannot start the processes: Requires run access"],
    [
      "server",
      ["relay", "--admin", `unix:${ca}`],
      `Cannot start the admin server at unix:${ca}: Requires read access`,
    ],
    [
      "server",
      ["relay", "--admin", "0.0.0.0:0", "--admin-token", "secret"],
      "Cannot start the admin server at 0.0.0.0:0: Requires net access",
    ],
    ["client", ["relay", "--host", "192.0.2.1"], "Cannot connect to 192.0.2.1:1: Requires net access"],
    ["client", ["echo", "x", "--tls", "--tls-ca", ca], `Cannot read "${ca}": Requires read access`],
    ["client", ["upload", ca], `Cannot upload "${ca}": Requires read access`],
    ["client", ["udp", "x", "--host", "192.0.2.1"], "Cannot send datagrams: Requires net access"],
    ["client", ["udp", "x", "--host", "127.0.0.9"], 'Requires net access to "127.0.0.9:1"'],
    ["client", ["list", "--host", "192.0.2.1"], "Cannot connect to 192.0.2.1:1: Requires net access"],
  ];
  for (const [set, args, says] of cases) {
    const port = ["--port", set === "server" ? "0" : "1"];
    const { code, err } = await run(withSet(set, `${set}.ts`, ...args, ...port));
    assertEquals([code, err.trim().split("\n").length], [1, 1], err);
    assertStringIncludes(err, says);
  }
});

Deno.test("loadtest.ts reports in one line that it needs all permissions", async () => {
  const path = new URL("loadtest.ts", ROOT).pathname;
  const { code, out, err } = await run([Deno.execPath(), "run", "--quiet", "--no-prompt", path]);
  assertEquals([code, out], [1, ""]);
  assertMatch(err, /^error: Cannot start a load test without .*: it needs all permissions, as in .*\n$/);
});

Deno.test({
  name: "server.ts and client.ts prompt for no permission beyond their sets",
  ignore: Deno.build.os !== "linux", // The `script` of other systems takes its command in another way.
  timeout: 30_000, // A prompt would wait for an answer.
  fn: async () => {
    for (const set of ["server", "client"]) {
      const [...command] = withSet(set, `${set}.ts`, "--version").filter((word) => word !== "--no-prompt");
      const { out } = await run(["script", "-qec", command.join(" "), "/dev/null"], { stdin: "" });
      assertMatch(out, new RegExp(`^${set}\\.ts \\S+\\r?\\n$`));
    }
  },
});
