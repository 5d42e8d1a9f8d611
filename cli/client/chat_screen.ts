/** Screen of a chat: a terminal with an editable line, or plain lines. @module */
import process from "node:process";
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { bold, cyan, dim, red, yellow } from "@std/fmt/colors";
import { Log } from "../terminal/log.ts";
import { hasColor } from "../terminal/write.ts";
import { sanitize } from "../../services/chat/text.ts";
import { inputLines } from "./client_command.ts";

/** Input and output of a chat. */
export interface ChatScreen {
  /** Whether it is a terminal. */
  readonly interactive: boolean;
  /** Lines that are typed, until the end of input. */
  lines(): AsyncIterable<string>;
  /** Shows a line of the room, without breaking the one that is being typed. */
  show(line: string): void;
  /** Ends the input, and restores the terminal. */
  close(): void;
}

/** Returns a terminal screen if stdin and stdout are terminals and `json` is false, otherwise plain lines. */
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

/** A terminal, with the line editing and history of `node:readline`. */
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
    // readline moves up to where it believes the typed line began, so make room below the line just shown.
    process.stdout.write("\n".repeat(rows));
    this.#readline.prompt(true);
  }

  close(): void {
    if (this.#closed) return;
    this.#clearTyped(this.#readline.getCursorPos().rows);
    this.#readline.close();
  }

  /** Clears the line that is being typed, which may fill several rows. */
  #clearTyped(rows: number): void {
    moveCursor(process.stdout, 0, -rows);
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
  }
}

/** Colors a line by its kind. */
function paint(line: string): string {
  if (line.startsWith("-- ")) return dim(line);
  if (line.startsWith("error ")) return red(line);
  if (line.startsWith("[")) return yellow(line);
  if (line.startsWith("* ")) return cyan(line);
  const colon = line.indexOf(": ");
  return colon < 0 ? line : bold(line.slice(0, colon)) + line.slice(colon);
}
