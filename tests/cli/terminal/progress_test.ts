import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Sink } from "../../../cli/terminal/write.ts";
import { startProgress } from "../../../cli/terminal/progress.ts";
import { pure } from "../../_util/permissions.ts";

function memorySink(terminal: boolean): Sink & { text(): string } {
  let text = "";
  return {
    isTerminal: () => terminal,
    writeSync(bytes): number {
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
    text: () => text,
  };
}

Deno.test(
  "startProgress() writes a line at intervals when there is no terminal",
  pure,
  async () => {
    const sink = memorySink(false);
    let time = 0;
    {
      using progress = await startProgress({ total: 3, sink, lineInterval: 1000, now: () => time });
      progress.update(0, "first");
      assertEquals(sink.text(), "");
      time = 1000;
      progress.update(1, "2 open");
      time = 1999;
      progress.update(2, "1 open");
      assertEquals(sink.text(), "1/3 (33%) 2 open\n");
      time = 2000;
      progress.update(2);
      assertEquals(sink.text(), "1/3 (33%) 2 open\n2/3 (66%)\n");
      progress.update(3, "done");
    }
    assertEquals(sink.text(), "1/3 (33%) 2 open\n2/3 (66%)\n3/3 (100%) done\n");
  },
);

Deno.test("startProgress() writes a state once", pure, async () => {
  const sink = memorySink(false);
  {
    using progress = await startProgress({ total: 0, sink, lineInterval: 0, now: () => 0 });
    progress.update(0);
  }
  assertEquals(sink.text(), "0/0 (100%)\n");
  (await startProgress({ total: 1, sink }))[Symbol.dispose]();
  assertEquals(sink.text(), "0/0 (100%)\n", "nothing to show");
});

Deno.test("startProgress() draws a bar on a terminal, and leaves its last state", async () => {
  const sink = memorySink(true);
  {
    using progress = await startProgress({ total: 200, sink, columns: 100 });
    assertMatch(sink.text(), / 0% 0\/200/);
    assert(sink.text().includes("0/200, ? left"), "nothing to reckon with yet");
    progress.update(150, "7 open");
  }
  assertMatch(sink.text(), /█{2,}░+ 75% 150\/200, .* left 7 open/);
  assert(sink.text().endsWith("\n"));
});

Deno.test("startProgress() keeps the bar within the terminal", async () => {
  const sink = memorySink(true);
  {
    using progress = await startProgress({ total: 200, sink, columns: 40 });
    progress.update(150, "x".repeat(100));
  }
  // From the first column to what clears the rest of the line.
  const drawn = sink.text().split("\x1b[1G").slice(1).map((text) => text.split("\x1b[0K")[0] ?? "");
  assert(drawn.some((text) => text.length === 40));
  for (const text of drawn) assert(text.length <= 40, text);
});

Deno.test("startProgress() changes no terminal state that a killed program would leave behind", async () => {
  const sink = memorySink(true);
  using progress = await startProgress({ total: 2, sink, columns: 80 });
  progress.update(1);
  assert(!sink.text().includes("\x1b[?"), "no mode is switched");
});

Deno.test("startProgress() shows nothing when quiet", pure, async () => {
  for (const terminal of [true, false]) {
    const sink = memorySink(terminal);
    {
      using progress = await startProgress({ total: 2, sink, quiet: true, lineInterval: 0 });
      progress.update(1, "x");
    }
    assertEquals(sink.text(), "");
  }
});

Deno.test("startProgress() hands its lines to print, and shows no bar on a terminal then", pure, async () => {
  const sink = memorySink(true);
  const lines: string[] = [];
  {
    using progress = await startProgress({
      total: 2,
      sink,
      lineInterval: 0,
      now: () => 0,
      print: (line) => lines.push(line),
    });
    progress.update(1, "open");
    progress.clear();
  }
  assertEquals([lines, sink.text()], [["1/2 (50%) open"], ""]);
});
