import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { Line } from "../../../socket/codecs/line.ts";
import { Message, MessagePool } from "../../../relay/router/message.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("Message keeps its line when the memory that it came from is overwritten", pure, () => {
  for (const text of ["", "short", "x".repeat(56), "x".repeat(57), "å".repeat(1000)]) {
    const line = Line.of(`message ${text}`);
    const message = new Message(line, 1, undefined);
    line.bytes.fill(0);
    assertEquals([message.text(), message.key()], [`message ${text}`, text]);
    assert(message.isText(Line.of(`ok ${text}`), 3));
    assert(!message.isText(Line.of(`ok ${text}!`), 3));
  }
});

Deno.test("Messages do not share memory, unless their line is long", pure, () => {
  const messages = Array.from({ length: 1000 }, (_, i) => new Message(Line.of(`message ${i}`), i, undefined));
  messages.forEach((message, i) => assertEquals(message.key(), `${i}`));
  const long = new Message(Line.of(`message ${"x".repeat(100)}`), 1, undefined);
  const again = new Message(long, 1, undefined);
  assertStrictEquals(again.bytes, long.bytes);
  assertEquals(again.key(), "x".repeat(100));
  const copied = new Message(Line.of(long.text()), 1, undefined);
  assertNotStrictEquals(copied.bytes, long.bytes);
});

Deno.test("MessagePool reuses a message, and keeps no long line", pure, () => {
  const pool = new MessagePool<{ slot: number }>();
  const message = pool.take(Line.of(`message ${"x".repeat(100)}`), 1, undefined);
  const { bytes } = message;
  pool.giveBack(message);
  assertEquals(message.text(), "");
  assertNotStrictEquals(message.bytes, bytes);
  assertStrictEquals(pool.take(Line.of("message y"), 2, undefined), message);
  assertEquals([message.text(), message.hash], ["message y", 2]);
});
