/** The text for --help and --version. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { commandHelp } from "../../../cli/args/help.ts";
import { help, program } from "../../_util/programs/command_line.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("parseCommandLine() prints the version", pure, () => {
  assertEquals(help(["--version"]), "server.ts 1.2.3");
});

Deno.test(
  "parseCommandLine() prints help for the program: its commands, and the options of the default one",
  pure,
  () => {
    const text = help(["-h"]);
    assertStringIncludes(text, "server.ts: A line server");
    assertStringIncludes(text, "Usage: server.ts [SERVICE] [OPTIONS]");
    for (const [name, command] of Object.entries(program.commands)) {
      assert(new RegExp(`^  ${name} +${command.summary}`, "m").test(text), name);
    }
    assertStringIncludes(text, "Options of relay, the default:");
    assertStringIncludes(text, "--ack-timeout D");
  },
);

Deno.test(
  "parseCommandLine() prints every option with its default and variables, and the examples",
  pure,
  () => {
    const text = help(["relay", "--port", "nonsense", "--bogus", "--help"]).replaceAll(/\s+/g, " ");
    for (
      const line of [
        "--host H Address to listen on [repeatable; default: 127.0.0.1, ::1; env: SERVER_HOST]",
        "--port N Port to listen on [default: 8000; env: SERVER_PORT]",
        "--max-line SIZE Longest line [default: 64KiB]",
        "--json For machines",
        "--no-redeliver Do not send again what was not answered",
        "--ack-timeout D How long to wait [default: 10s or so]",
        "--offset N A number",
        "--delay SPEC How long to hold an answer [default: 0-0; env: REPLY_DELAY, DELAY_TIME]",
        "--policy random|source Which one [default: random]",
        "--help Print this help and exit",
        "--version Print the version and exit",
        "# On a free port server.ts relay --port 0",
      ]
    ) assertStringIncludes(text, line);
    assert(!text.includes("--to "), "only what this command takes");
  },
);

Deno.test("parseCommandLine() prints help for a command's words", pure, () => {
  assertEquals(help(["get", "-h=true"]), help(["get", "--help"]));
  const text = help(["get", "--help"]);
  assertStringIncludes(text, "Usage: server.ts get METHOD URL [HEADER…] [OPTIONS]");
  assert(/^ {2}METHOD +What to do \[required\]$/m.test(text), text);
});

Deno.test("parseCommandLine() keeps help within 100 columns, without trailing spaces", pure, () => {
  for (const name of Object.keys(program.commands)) {
    for (const line of help([name, "--help"]).split("\n")) {
      assert(line.length <= 100, line);
      assertEquals(line, line.trimEnd());
    }
  }
});

Deno.test("parseCommandLine() prints options under their headings, in the order of the table", pure, () => {
  const lines = help(["proxy", "--help"]).split("\n");
  const headings = lines.filter((line) => /^\S.*:$/.test(line));
  assertEquals(headings, ["Proxy:", "Options:", "Output:", "Examples:"]);
  const under = (heading: string): string[] => {
    const from = lines.indexOf(heading) + 1;
    return lines.slice(from, lines.indexOf("", from)).map((line) => line.trim().split(" ")[0]!);
  };
  assertEquals(under("Proxy:"), ["--to", "--message"]);
  assertEquals(under("Output:"), ["--json", "--help", "--version"]);
});

Deno.test("commandHelp() shows examples with the command that starts the program", pure, () => {
  const text = commandHelp({ ...program, invocation: "deno run -A server.ts" }, "get", {});
  assertStringIncludes(text, "\n  deno run -A server.ts get GET http://a\n");
  assertStringIncludes(commandHelp(program, "get", {}), "\n  server.ts get GET http://a\n");
});
