/** Loses and doubles oks in a stream of lines, as bytes, whatever the pieces they come in. Pure. @module */
import type { Random } from "../../internal/clock.ts";

/** What may be done to an ok. */
export type OkFault = "drop-ok" | "duplicate-ok";

/** What {@linkcode OkFaults} needs. */
export interface OkFaultsOptions {
  /** The part of all oks that is lost, and of the others the part that is doubled. */
  readonly drop: number;
  readonly duplicate: number;
  readonly random: Random;
  readonly onFault: (fault: OkFault) => void;
}

const LF = 10;
const OK = new TextEncoder().encode("ok ");

/** One direction of a connection. */
export class OkFaults {
  readonly #options: OkFaultsOptions;
  /** The beginning of a line whose end has not come. */
  #begun = new Uint8Array(0);

  constructor(options: OkFaultsOptions) {
    this.#options = options;
  }

  /** Takes bytes, and gives those that go on: whole lines, with some oks missing and some twice. */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const all = joined([this.#begun, bytes]);
    const pieces: Uint8Array[] = [];
    let start = 0;
    for (let end = all.indexOf(LF); end >= 0; end = all.indexOf(LF, start)) {
      const line = all.subarray(start, end + 1);
      start = end + 1;
      const fault = OK.every((byte, place) => line[place] === byte) ? this.#draw() : undefined;
      if (fault !== undefined) this.#options.onFault(fault);
      if (fault !== "drop-ok") pieces.push(line);
      if (fault === "duplicate-ok") pieces.push(line);
    }
    this.#begun = all.slice(start);
    return joined(pieces);
  }

  /** What is left when the stream ends: a line without its end. */
  end(): Uint8Array<ArrayBuffer> {
    const rest = this.#begun;
    this.#begun = new Uint8Array(0);
    return rest;
  }

  #draw(): OkFault | undefined {
    const { drop, duplicate, random } = this.#options;
    if (random() < drop) return "drop-ok";
    return random() < duplicate ? "duplicate-ok" : undefined;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
