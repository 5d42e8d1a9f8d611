import { assertEquals, assertStringIncludes } from "@std/assert";
import { listen } from "../../../socket/mod.ts";
import { denoRun, runClient, ServerProcess } from "../../_util/programs/program.ts";
import { talk } from "../../_util/network/exchange.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** `client.ts chat` on a terminal of 40 columns from `socat`: its input, and its output. */
class TerminalChat implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #shown: AsyncIterator<string>;
  #rest = "";

  constructor(port: number) {
    const command = denoRun("client.ts", ["chat", "--name", "ann", "--port", `${port}`]).join(" ");
    // Printed by the shell of the terminal: the exit code of the program, and whether it restored the terminal.
    const restored = "stty -a | grep -qwe -echo && echo silent || echo echoing";
    const script = `stty columns 40; ${command}; echo exit $?; ${restored}`;
    this.#child = new Deno.Command("socat", {
      args: ["-t", "10", "STDIO", `SYSTEM:${script},pty,setsid,ctty,stderr`],
      env: { NO_COLOR: "1", TERM: "xterm" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#shown = this.#child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  }

  async type(text: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(text));
  }

  /** Waits until `text` is shown, and returns everything up to its end. */
  async upTo(text: string): Promise<string> {
    while (!this.#rest.includes(text)) {
      const { done, value } = await this.#shown.next();
      if (done) {
        throw new Error(`Expected ${JSON.stringify(text)}, got ${JSON.stringify(this.#rest)} and the end`);
      }
      this.#rest += value;
    }
    const end = this.#rest.indexOf(text) + text.length;
    const upTo = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end);
    return upTo;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close();
    while (!(await this.#shown.next()).done);
    await this.#child.status;
  }
}

Deno.test("client.ts chat redraws the line being edited when a message arrives", async () => {
  await using server = await ServerProcess.start("chat");
  await using ann = new TerminalChat(server.port);
  await ann.upTo("Hello ann.");
  await using bob = await talk(server.port);
  await bob.send("bob\n");
  await bob.upTo("Hello bob.");
  await ann.upTo("-- bob joined");
  await ann.type("hxllo");
  await ann.upTo("hxllo");
  await bob.send("wait \x1b[2J a moment\n");
  // The typed line is cleared, the message is shown with its control characters escaped, and the line is redrawn.
  assertStringIncludes(await ann.upTo("> hxllo"), "\x1b[0Jbob: wait \ufffd[2J a moment\r\n");
  // Keys: to the start, one to the right, delete, and another letter.
  await ann.type("\x01\x1b[C\x1b[3~e\r");
  assertStringIncludes(await bob.upTo("\nann: hello\n"), "ann: hello");
  await ann.type("\x04");
  await ann.upTo("-- Bye");
  await ann.upTo("exit 0\r\nechoing");
  await bob.upTo("-- ann left");
});

Deno.test("client.ts chat keeps the edited line below messages when it fills two rows", async () => {
  await using server = await ServerProcess.start("chat");
  await using ann = new TerminalChat(server.port);
  await ann.upTo("Hello ann.");
  await using bob = await talk(server.port);
  await bob.send("bob\n");
  await ann.upTo("-- bob joined");
  await ann.type("y".repeat(50));
  await ann.upTo("y".repeat(12));
  await bob.send("hello\n");
  const shown = await ann.upTo(`> ${"y".repeat(50)}`);
  // Up a row and clear, the message, then a spare row, so that moving up does not reach the message.
  assertStringIncludes(shown, "\x1b[1A\x1b[1G\x1b[0Jbob: hello\r\n\r\n\x1b[1A\x1b[1G\x1b[0J>");
  await ann.type("\x03");
  await ann.upTo("-- Bye");
});

Deno.test("client.ts chat escapes control characters from the server", async () => {
  await using evil = listen({});
  const served = evil.serve(async (peer) => {
    peer.send("-- Hello \x1b[2J\u202e\x07.");
    for await (const line of peer) if (line === "/quit") return;
  });
  await using ann = new TerminalChat(evil.port);
  await ann.upTo("-- Hello \ufffd[2J\ufffd\ufffd.\r\n");
  await ann.type("\x04");
  await ann.upTo("exit 0");
  const plain = await runClient(["chat", "--port", `${evil.port}`], { stdin: "" });
  assertEquals([plain.code, plain.out], [0, "-- Hello \ufffd[2J\ufffd\ufffd.\n"]);
  await evil.close();
  await served;
});

Deno.test("client.ts chat reads and writes plain lines when there is no terminal", async () => {
  await using server = await ServerProcess.start("chat");
  await using bob = await talk(server.port);
  await bob.send("bob\n");
  await bob.upTo("Hello bob.");
  const stdin = "hello\n/msg bob psst\n/quit\n";
  const { code, out, err } = await runClient(["chat", "--port", `${server.port}`, "--name", "ann"], {
    stdin,
  });
  assertEquals([code, err], [0, ""]);
  assertEquals(out.split("\n").slice(1), [
    "-- Hello ann. 1 other is here; /help lists commands",
    "[you to bob] psst",
    "-- Bye",
    "",
  ]);
  assertStringIncludes(await bob.upTo("-- ann left"), "ann: hello\n[ann to you] psst\n");
});

Deno.test("client.ts chat exits with 1 when its name is refused", async () => {
  await using server = await ServerProcess.start("chat");
  await using bob = await talk(server.port);
  await bob.send("bob\n");
  await bob.upTo("Hello bob.");
  const refused = await runClient(["chat", "--port", `${server.port}`, "--name", "bob"], { stdin: "" });
  assertEquals([refused.code, refused.err], [1, "error: Cannot enter: name is taken: bob\n"]);
});

Deno.test("client.ts chat reports that the server has gone, and restores the terminal", async () => {
  await using server = await ServerProcess.start("chat");
  await using ann = new TerminalChat(server.port);
  await ann.upTo("Hello ann.");
  assertEquals((await server.stop()).code, 0);
  await ann.upTo("-- The server is closing");
  await ann.upTo("error: Connection closed: natural");
  await ann.upTo("exit 1\r\nechoing");
});

Deno.test("client.ts account prints an account that server.ts chat --users accepts", async () => {
  await using dir = new TempDir();
  const counts = await runClient(["account", "ann"], { stdin: "open sesame\n" });
  assertEquals(counts.code, 0);
  await dir.write("users", counts.out);
  await using server = await ServerProcess.start("chat", "--users", `${dir.path}/users`);
  await using guest = await talk(server.port);
  await guest.send("ann\n/login ann wrong\n/login ann open sesame\n/quit\n");
  assertEquals((await guest.rest()).split("\n"), [
    "-- Welcome. What is your name?",
    "error name belongs to an account: /login ann PASSWORD",
    "error name or password is wrong",
    "-- Hello ann. 0 others are here; /help lists commands",
    "-- Bye",
    "",
  ]);
  const nobody = await runClient(["account", "a b"], { stdin: "open sesame\n" });
  assertEquals(nobody.code, 2);
});
