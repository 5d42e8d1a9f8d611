/** Output into memory, in the place of a terminal or a file. */
import type { Sink } from "../../cli/terminal/write.ts";

/** Keeps all output as text. */
export class CollectedOutput implements Sink {
  /** The output so far. */
  text = "";

  isTerminal(): boolean {
    return false;
  }

  writeSync(bytes: Uint8Array): number {
    this.text += new TextDecoder().decode(bytes);
    return bytes.length;
  }
}
