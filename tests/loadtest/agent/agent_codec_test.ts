import { assertEquals } from "@std/assert";
import { agentCodec } from "../../../loadtest/agent/agent_codec.ts";
import { pure } from "../../_util/permissions.ts";

const MOST = 16 * 1024;
const encoder = new TextEncoder();

/** Decodes text in pieces; a line "open" unlocks long ones. Returns the lengths of the lines, and the code of the error. */
function decode(text: string, piece = text.length): readonly unknown[] {
  const decoder = agentCodec((line) => line === "open").decoder();
  const bytes = encoder.encode(text);
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    const { frames, error } = decoder.push(bytes.subarray(at, at + piece));
    lengths.push(...frames.map(({ length }) => length));
    if (error !== undefined) return [lengths, error.code];
  }
  return [lengths, decoder.end()?.code];
}

Deno.test("agentCodec() limits lines to 16 KiB until one unlocks", pure, () => {
  const most = "x".repeat(MOST);
  for (const piece of [1000, 100_000]) {
    assertEquals(decode(`${most}\n`, piece), [[MOST], undefined]);
    assertEquals(decode(`${most}x\n`, piece), [[], "line-too-long"]);
    assertEquals(decode(`open\n${most}x\n${most}xx\n`, piece), [[4, MOST + 1, MOST + 2], undefined]);
    assertEquals(decode(`shut\n${most}x\nopen\n`, piece), [[4], "line-too-long"]);
  }
});

Deno.test("agentCodec() finds input that ends inside a line, before and after one unlocks", pure, () => {
  assertEquals(decode("ope"), [[], "unterminated"]);
  assertEquals(decode("open\nope", 3), [[4], "unterminated"]);
});
