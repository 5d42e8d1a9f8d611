/** Where a chat is shown and typed: a terminal with a line that can be edited, or plain lines. @module */
import process from "node:process";
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { bold, cyan, dim, red, yellow } from "@std/fmt/colors";
import { hasColor, Log } from "../terminal/log.ts";
import { sanitize } from "../../services/chat/text.ts";
import { inputLines } from "./client_command.ts";

/** A place to talk at. */
export interface ChatScreen {
  /** Whether somebody sits before it. */
  readonly interactive: boolean;
  /** What is typed, a line at a time, until the end of input. */
  lines(): AsyncIterable<string>;
  /** Shows a line of the room, and leaves the one being typed whole. */
  show(line: string): void;
  /** Takes no more input, and leaves the terminal as it was. */
  close(): void;
}

/** The terminal where stdin and stdout are one, else lines in and out; machine output is always that. */
export function openScreen(json: boolean): ChatScreen {
  const terminal = !json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  return terminal ? new Terminal() : new PlainLines(json);
}

class PlainLines implements ChatScreen {
  readonly interactive = false;
  readonly #log: Log;

  constructor(json: boolean) {
    this.#log = new Log({ json, quiet: true });
  }

  lines(): AsyncIterable<string> {
    return inputLines([]);
  }

  show(line: string): void {
    this.#log.result(sanitize(line), { event: "line", text: line });
  }

  close(): void {}
}

/** Line editing and history are those of `node:readline`. */
class Terminal implements ChatScreen {
  readonly interactive = true;
  readonly #readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    prompt: "> ",
  });
  readonly #paint = hasColor(Deno.stdout) ? paint : (line: string) => line;
  #closed = false;

  lines(): AsyncIterable<string> {
    const readline = this.#readline;
    const typed = new ReadableStream<string>({
      start: (controller) => {
        readline.on("line", (line) => {
          controller.enqueue(line);
          readline.prompt();
        });
        readline.on("close", () => {
          this.#closed = true;
          controller.close();
        });
      },
    });
    readline.prompt();
    return typed;
  }

  show(line: string): void {
    const { rows } = this.#readline.getCursorPos();
    this.#clearTyped(rows);
    process.stdout.write(`${this.#paint(sanitize(line))}\n`);
    if (this.#closed) return;
    // It goes up to where what is typed began by its own reckoning, which must not be over what was just shown.
    process.stdout.write("\n".repeat(rows));
    this.#readline.prompt(true);
  }

  close(): void {
    if (this.#closed) return;
    this.#clearTyped(this.#readline.getCursorPos().rows);
    this.#readline.close();
  }

  /** What is typed may be longer than a row. */
  #clearTyped(rows: number): void {
    moveCursor(process.stdout, 0, -rows);
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
  }
}

/** Colours by what a line is. */
function paint(line: string): string {
  if (line.startsWith("-- ")) return dim(line);
  if (line.startsWith("error ")) return red(line);
  if (line.startsWith("[")) return yellow(line);
  if (line.startsWith("* ")) return cyan(line);
  const colon = line.indexOf(": ");
  return colon < 0 ? line : bold(line.slice(0, colon)) + line.slice(colon);
}
