import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FramingError } from "../../../socket/errors.ts";
import { LineDecoder } from "../../../socket/codecs/line_decoder.ts";
import { LineStream } from "../../../socket/codecs/line_stream.ts";

const permissions = "none";
const MAX_LINE = 8;

interface Result {
  lines: string[];
  error: string | undefined;
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, at) => bytes.slice(at * size, (at + 1) * size),
  );
}

function decode(chunks: readonly Uint8Array[]): Result {
  const decoder = new LineDecoder(MAX_LINE);
  const lines: string[] = [];
  for (const chunk of chunks) {
    const { frames, error } = decoder.push(chunk);
    lines.push(...frames);
    if (error !== undefined) return { lines, error: error.code };
  }
  return { lines, error: decoder.end()?.code };
}

/** Reads slowly, so that the input has ended or failed before the last good line is read. */
async function readStream(chunks: readonly Uint8Array[]): Promise<Result> {
  const lines: string[] = [];
  try {
    for await (const line of ReadableStream.from(chunks).pipeThrough(new LineStream({ maxLine: MAX_LINE }))) {
      for (let turn = 0; turn < 50; turn++) await undefined;
      lines.push(line);
    }
    return { lines, error: undefined };
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { lines, error: error.code };
  }
}

const INPUTS: Readonly<Record<string, readonly number[]>> = {
  "whole lines": [...new TextEncoder().encode("one\r\n\ntwo\nüñí\n")],
  "nothing": [],
  "a line over the limit": [...new TextEncoder().encode("one\ntwo\n123456789\nnever\n")],
  "an unterminated line": [...new TextEncoder().encode("one\ntwo\nhal")],
  "invalid UTF-8": [...new TextEncoder().encode("one\n"), 0xff, 10, 65, 10],
};

for (const [name, input] of Object.entries(INPUTS)) {
  Deno.test(
    `LineStream yields the lines and the error of LineDecoder at every chunk size when it reads ${name}`,
    { permissions },
    async () => {
      const bytes = new Uint8Array(input);
      for (let size = 1; size <= bytes.length + 1; size++) {
        const chunks = cut(bytes, size);
        assertEquals(await readStream(chunks), decode(chunks), `chunks of ${size}`);
      }
    },
  );
}

Deno.test("LineStream fails its input when a line is too long", { permissions }, async () => {
  const stream = new LineStream({ maxLine: 2 });
  const writer = stream.writable.getWriter();
  const lines = Array.fromAsync(stream.readable);
  const written = writer.write(new TextEncoder().encode("123\n"));
  await assertRejects(() => lines, FramingError, "over the limit of 2 bytes");
  await written;
  await assertRejects(() => writer.closed, FramingError);
});

Deno.test("LineStream cancels its input when its lines are canceled", { permissions }, async () => {
  let canceled: unknown;
  const input = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array([65, 10])),
    cancel: (reason) => void (canceled = reason),
  });
  await input.pipeThrough(new LineStream()).cancel("enough");
  await Promise.resolve();
  assertEquals(canceled, "enough");
});

Deno.test("LineStream() throws when the limit is not an integer of at least 1", { permissions }, () => {
  assertThrows(() => new LineStream({ maxLine: 0 }), RangeError, "0");
});
