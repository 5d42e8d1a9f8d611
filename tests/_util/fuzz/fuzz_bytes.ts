/** Bytes for fuzzing: near what a grammar knows, and cut anywhere. */
import fc from "fast-check";
import type { Codec } from "../../../socket/codecs/codec.ts";

/** A property by its name. It takes the runs of fast-check; a failure throws with its seed and path. */
export type Properties = Readonly<
  Record<string, (parameters: fc.Parameters<unknown>) => void | Promise<void>>
>;

/** Bytes near what a grammar knows: pieces of it, cut short, doubled, and noise between them. */
export function nearly(pieces: readonly string[]): fc.Arbitrary<Uint8Array> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces).map((text) => new TextEncoder().encode(text)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 12 }) },
    {
      weight: 1,
      arbitrary: fc.string({ maxLength: 40, unit: "binary" }).map((text) => new TextEncoder().encode(text)),
    },
  );
  return fc.array(piece, { maxLength: 40 }).map((all) => Uint8Array.from(all.flatMap((bytes) => [...bytes])));
}

/** Sizes of the chunks into which bytes are cut, repeated. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 40 }), {
  minLength: 1,
  maxLength: 8,
});

export function* chunks(bytes: Uint8Array, sizes: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.slice(at, at + size); // of its own, as a socket's buffer is used again
    at += size;
  }
}

/** The output of a decoder: its frames, and its end. */
export function decoded<Frame>(
  codec: Codec<Frame>,
  pieces: Iterable<Uint8Array>,
): { frames: Frame[]; error: string | undefined } {
  const decoder = codec.decoder();
  const frames: Frame[] = [];
  for (const piece of pieces) {
    const step = decoder.push(piece);
    frames.push(...step.frames);
    if (step.error !== undefined) return { frames, error: step.error.code };
  }
  return { frames, error: decoder.end()?.code };
}

/** A property of fast-check as one of {@linkcode Properties}. */
export function run<Values extends [unknown, ...unknown[]]>(
  property: fc.IProperty<Values> | fc.IAsyncProperty<Values>,
): Properties[string] {
  return (parameters) =>
    fc.assert(property as fc.IAsyncProperty<Values>, parameters as fc.Parameters<Values>);
}
