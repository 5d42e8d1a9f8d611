/** The lines of an agent's connections: short until a load test has shown the token. Pure. @module */
import { lineCodec } from "../../socket/codecs/line_codec.ts";
import type { Codec, Decoded, Decoder } from "../../socket/codecs/codec.ts";
import type { FramingError } from "../../socket/errors.ts";
import { MAX_AGENT_LINE } from "./protocol.ts";

/** Longest line, in bytes, of a peer that has not shown the token: it must not fill the memory. */
const MAX_FIRST_LINE = 16 * 1024;
const LF = 10;

/**
 * Returns lines of up to {@linkcode MAX_AGENT_LINE} after one that `unlocks`, and short ones before.
 *
 * @param unlocks Whether a line shows the token.
 */
export function agentCodec(unlocks: (line: string) => boolean): Codec<string> {
  const first = lineCodec({ maxLine: MAX_FIRST_LINE });
  const { decoder, encoder } = lineCodec({ maxLine: MAX_AGENT_LINE });
  return { copies: true, encoder, decoder: () => new AgentDecoder(unlocks, first.decoder(), decoder()) };
}

class AgentDecoder implements Decoder<string> {
  readonly #unlocks: (line: string) => boolean;
  readonly #first: Decoder<string>;
  readonly #rest: Decoder<string>;
  #unlocked = false;

  constructor(unlocks: (line: string) => boolean, first: Decoder<string>, rest: Decoder<string>) {
    this.#unlocks = unlocks;
    this.#first = first;
    this.#rest = rest;
  }

  push(bytes: Uint8Array): Decoded<string> {
    const lines: string[] = [];
    for (let at = 0; at < bytes.length;) {
      if (this.#unlocked) {
        const { frames, error } = this.#rest.push(bytes.subarray(at));
        return decoded(lines.concat(frames), error);
      }
      const end = bytes.indexOf(LF, at) + 1 || bytes.length;
      const { frames, error } = this.#first.push(bytes.subarray(at, end));
      lines.push(...frames);
      if (error !== undefined) return decoded(lines, error);
      this.#unlocked = frames.some(this.#unlocks);
      at = end;
    }
    return decoded(lines);
  }

  end(): FramingError | undefined {
    return (this.#unlocked ? this.#rest : this.#first).end();
  }
}

function decoded(frames: readonly string[], error?: FramingError): Decoded<string> {
  return error === undefined ? { frames } : { frames, error };
}
