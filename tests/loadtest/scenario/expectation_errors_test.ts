import { assertEquals, assertStringIncludes } from "@std/assert";
import { codec, type Nonsense, runTested } from "../../_util/loadtest/user_errors.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("runLoadTest() finds a reply that cannot be shown", pure, async () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const frames: Nonsense = { push: () => ({ frames: [circular] }), end: () => undefined };
  const { findings } = await runTested({ codec: { ...codec, decoder: () => frames } });
  assertStringIncludes(findings[0]!.text, "got a frame that cannot be shown");
});

Deno.test("runLoadTest() finds a reply that cannot be compared with the expected one", pure, async () => {
  const frame = (): object => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    return circular;
  };
  const frames: Nonsense = { push: () => ({ frames: [frame()] }), end: () => undefined };
  const { findings } = await runTested({
    codec: { ...codec, decoder: () => frames },
    session: async (t) => void await t.ask("hello", { expect: frame() as Nonsense }),
  });
  assertEquals(findings[0]!.kind, "wrong");
  assertStringIncludes(findings[0]!.text, "Maximum call stack size exceeded");
});

Deno.test(
  "runLoadTest() counts a reply as wrong when expect returns neither true nor false",
  pure,
  async () => {
    const cases: [Nonsense, string][] = [
      [null, "null"],
      [0, "0"],
      ["", '""'],
      [["one"], "an array"],
      [{}, "an object"],
      [() => true, "function"],
    ];
    for (const [outcome, shown] of cases) {
      const { verdict, findings } = await runTested({
        session: async (t) => {
          await t.ask("one", { expect: (() => outcome) as Nonsense }).catch(() => {});
        },
      });
      assertEquals([verdict, findings[0]?.kind], ["failed", "wrong"]);
      assertStringIncludes(
        findings[0]!.text,
        `: the function returned ${shown}, expected true or false`,
      );
    }
  },
);

Deno.test("runLoadTest() reports a predicate of t.on that returns neither true nor false", pure, async () => {
  const { verdict, findings } = await runTested({
    session: async (t) => {
      t.on(((line: string) => line.match(/^push/)) as Nonsense, () => {});
      await t.ask("one", { expect: "one" });
    },
  });
  assertEquals([verdict, findings[0]?.kind], ["failed", "scenario"]);
  assertStringIncludes(
    findings[0]!.text,
    "Cannot choose a handler of t.on: the function returned null, expected true or false",
  );
});
