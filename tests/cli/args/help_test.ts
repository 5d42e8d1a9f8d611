/** What the command line answers by itself: help and version. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { help, program } from "../../_util/programs/command_line.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("parseCommandLine() prints the version", pure, () => {
  assertEquals(help(["--version"]), "server.ts 1.2.3");
});

Deno.test("parseCommandLine() prints help for the program: commands, the default's options", pure, () => {
  const text = help(["-h"]);
  assertStringIncludes(text, "server.ts: A server of lines");
  assertStringIncludes(text, "Usage: server.ts [SERVICE] [OPTIONS]");
  for (const [name, command] of Object.entries(program.commands)) {
    assert(new RegExp(`^  ${name} +${command.summary}`, "m").test(text), name);
  }
  assertStringIncludes(text, "Options of relay:");
  assertStringIncludes(text, "--ack-timeout D");
});

Deno.test(
  "parseCommandLine() prints every option with its default and variables, and the examples",
  pure,
  () => {
    const text = help(["relay", "--port", "nonsense", "--bogus", "--help"]).replaceAll(/\s+/g, " ");
    for (
      const line of [
        "--host H Address to listen on [may repeat; default: 127.0.0.1, ::1; environment: SERVER_HOST]",
        "--port N Port to listen on [default: 8000; environment: SERVER_PORT]",
        "--max-line SIZE Longest line [default: 64KiB]",
        "--json For machines [default: off]",
        "--no-redeliver Do not send again what was not answered [default: off]",
        "--ack-timeout D How long to wait [default: 10s or so]",
        "--offset N A number [default: none]",
        "--delay SPEC How long to hold an answer [default: 0-0; environment: REPLY_DELAY, DELAY_TIME]",
        "--policy random|source Which one [default: random]",
        "--help Print this and exit",
        "--version Print the version and exit",
        "# On a free port server.ts relay --port 0",
      ]
    ) assertStringIncludes(text, line);
    assert(!text.includes("--to "), "only what this command takes");
  },
);

Deno.test("parseCommandLine() prints help of a command's words", pure, () => {
  assertEquals(help(["get", "-h=true"]), help(["get", "--help"]));
  const text = help(["get", "--help"]);
  assertStringIncludes(text, "Usage: server.ts get METHOD URL [HEADER…] [OPTIONS]");
  assert(/^ {2}METHOD +What to do \[default: none, it must be given\]$/m.test(text), text);
});

Deno.test("parseCommandLine() keeps help within 100 columns, with nothing at their ends", pure, () => {
  for (const name of Object.keys(program.commands)) {
    for (const line of help([name, "--help"]).split("\n")) {
      assert(line.length <= 100, line);
      assertEquals(line, line.trimEnd());
    }
  }
});
