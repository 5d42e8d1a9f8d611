import { assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { scenario, ScenarioError, type Session } from "../../../loadtest/mod.ts";
import type { Codec } from "../../../socket/mod.ts";
import { kindsOf, runInMemory } from "../../_util/loadtest/scenario_world.ts";
import { codec, echo, type Nonsense, runTested, session } from "../../_util/loadtest/user_errors.ts";
import { pure } from "../../_util/permissions.ts";

function boom(): never {
  throw new Error("boom");
}

Deno.test(
  "runLoadTest() finds that the state of the server cannot be read, and keeps the results",
  pure,
  async () => {
    const PLACE = /at user_errors_test\.ts:\d+:\d+$/;
    const cases: [Nonsense, RegExp | string][] = [
      [boom, PLACE],
      [() => Promise.reject(new TypeError("fetch failed")), "expectState() threw TypeError: fetch failed"],
      [() => Promise.reject("down"), "expectState() threw down, which is not an Error"],
      [() => new Promise(() => {}), "expectState() did not finish within 5s"],
      [() => undefined, "expectState() returned undefined, expected numbers by name"],
      [() => 0, "expectState() returned 0, expected"],
      [() => [0], "expectState() returned an array, expected"],
      [() => ({}), "expectState() returned no figures, expected numbers by name"],
      [() => new Map([["jobs", 7]]), "expectState() returned no figures, expected numbers by name"],
      [() => ({ jobs: "0" }), `expectState() returned "jobs": "0", expected`],
      [() => ({ open: 0, jobs: NaN }), `expectState() returned "jobs": NaN, expected`],
    ];
    for (const [expectState, reason] of cases) {
      const { verdict, findings, summary, now } = await runTested({ expectState });
      assertEquals([verdict, summary.acked, findings.map(({ kind }) => kind)], ["failed", 2, ["leftover"]]);
      const text = findings[0]!.text;
      assertStringIncludes(text, "The state of the server could not be read: expectState() ");
      if (typeof reason === "string") assertStringIncludes(text, reason);
      else assertMatch(text, reason);
      assertEquals(now < 6000, true, `${now}`);
    }
  },
);

Deno.test(
  "runLoadTest() is proven when expectState fails at first, and answers within 5 s",
  pure,
  async () => {
    let asked = 0;
    const expectState = (): Promise<Record<string, number>> =>
      asked++ < 3 ? Promise.reject(new Error("busy")) : Promise.resolve({ jobs: 0 });
    assertEquals((await runTested({ expectState })).verdict, "proven");
  },
);

Deno.test("runLoadTest() does not ask for the state of a server that no client reached", pure, async () => {
  let asked = 0;
  const result = await runInMemory({
    serve: echo,
    target: { hostname: "127.0.0.1", port: 1 },
    scenario: scenario({ codec, session, expectState: () => Promise.resolve({ asked: ++asked }) }),
  } as Nonsense);
  assertEquals([kindsOf(result), asked], [["unreachable"], 0]);
});

Deno.test("runLoadTest() finds a teardown that fails, and keeps the results", pure, async () => {
  for (const teardown of [boom, () => Promise.reject(new Error("boom"))]) {
    const { verdict, findings, summary } = await runTested({ teardown });
    assertEquals([verdict, summary.acked, findings.length], ["failed", 2, 1]);
    assertMatch(
      findings[0]!.text,
      /^In the scenario, teardown\(\) threw Error: boom at user_errors_test\.ts:\d+:\d+$/,
    );
  }
});

Deno.test(
  "runLoadTest() rejects with one line when setup throws, or returns after an abort",
  pure,
  async () => {
    await assertRejects(
      () => runTested({ setup: boom }),
      ScenarioError,
      "Cannot set up the scenario: setup() threw Error: boom at user_errors_test.ts:",
    );
    const signal = AbortSignal.abort();
    await assertRejects(
      () =>
        runInMemory({
          serve: echo,
          signal,
          scenario: scenario({ codec, session, setup: () => new Promise<undefined>(() => {}) }),
        }),
      ScenarioError,
      "setup() had not finished when the run was interrupted",
    );
  },
);

Deno.test("runLoadTest() finds whatever a codec does wrong, at each client", pure, async () => {
  const brokenDecoder = (methods: object): Nonsense => ({
    ...codec,
    decoder: () => Object.assign(Object.create(codec.decoder()), methods),
  });
  const brokenEncoder = (methods: object): Nonsense => ({
    ...codec,
    encoder: () => {
      const encoder = {
        size: 0,
        push: () => void (encoder.size += 3),
        take: () => new Uint8Array(encoder.size).with(encoder.size = 0, 10),
        ...methods,
      };
      return encoder;
    },
  });
  const codecs: [Codec<string>, string][] = [
    [{ ...codec, decoder: boom }, "threw Error: boom"],
    [{ ...codec, decoder: (): Nonsense => undefined }, "expected an object with push(), got undefined"],
    [{ ...codec, encoder: boom }, "threw Error: boom"],
    [{ ...codec, encoder: (): Nonsense => ({}) }, "expected an object with push(), got object"],
    [brokenDecoder({ push: boom, end: () => undefined }), "threw Error: boom"],
    [brokenDecoder({ push: () => undefined, end: () => undefined }), "expected frames, got undefined"],
    [brokenDecoder({ push: () => ({ frames: [] }), end: boom }), "threw Error: boom"],
    [brokenEncoder({ push: boom }), "threw Error: boom"],
    [brokenEncoder({ take: boom }), "threw Error: boom"],
    [brokenEncoder({ take: () => "text" }), "expected bytes, got string"],
    [brokenEncoder({ take: () => new Uint8Array(3) }), "expected size 0 after take(), got 3"],
    [brokenEncoder({ size: undefined }), "expected a number from 0, got NaN"],
  ];
  for (const [broken, text] of codecs) {
    const { verdict, summary, findings } = await runTested({ codec: broken });
    assertEquals([verdict, summary.findingCounts.scenario], ["failed", 2], text);
    assertStringIncludes(findings.find(({ kind }) => kind === "scenario")?.text ?? "", text);
  }
});

Deno.test(
  "runLoadTest() ends a connection, and not the run, for an error of another copy of the library",
  pure,
  async () => {
    const decoder = (): Nonsense => ({
      push: () => ({ frames: [], error: new Error("bad length") }),
      end() {},
    });
    const { findings } = await runTested({ codec: { ...codec, decoder } });
    assertEquals(kindsOf({ findings }), ["lost", "unnatural"]);
    assertStringIncludes(findings.map(({ text }) => text).join(), "bad length");
  },
);

Deno.test("runLoadTest() finds a handler that throws when the session is over", pure, async () => {
  const { findings } = await runInMemory({
    serve: async (peer) => {
      for await (const line of peer) peer.send(line);
      peer.send("bye"); // After the FIN of the client.
    },
    scenario: scenario({
      codec,
      async session(t) {
        t.on("bye", boom);
        await t.ask("one");
      },
    }),
  });
  assertEquals(kindsOf({ findings }), ["scenario"]);
  assertStringIncludes(
    findings[0]!.text,
    "In the scenario, client 0, whose session was over, threw Error: boom at ",
  );
});

Deno.test("runLoadTest() finds a correlate that throws or returns no id", pure, async () => {
  const cases: [Nonsense, string][] = [
    [boom, "threw Error: boom"],
    [() => ({}), "correlate() returns no id for it, expected text or a number"],
    [((calls) => () => calls++ % 2 === 0 ? 1 : boom())(0), "threw Error: boom"],
  ];
  for (const [correlate, text] of cases) {
    const { verdict, summary, findings } = await runTested({ correlate });
    assertEquals([verdict, summary.scenario?.sessions.threw], ["failed", 2]);
    assertStringIncludes(findings[0]!.text, text);
  }
});

Deno.test("Session refuses with one line what it cannot use", pure, async () => {
  const cases: [(t: Session<string, Nonsense>) => unknown, string][] = [
    [
      (t) => t.check(undefined as Nonsense, true),
      "Cannot use this name of a check: expected text, got undefined",
    ],
    [
      (t) => t.check("held", Promise.resolve(false) as Nonsense),
      'Cannot check "held": expected true or false, got a promise',
    ],
    [(t) => t.metric(undefined as Nonsense), 'Cannot name a metric "undefined"'],
    [(t) => t.metric("size").record(NaN), "Cannot record NaN in the metric size"],
    [(t) => t.metric("size").record("5" as Nonsense), "Cannot record 5 in the metric size"],
    [
      (t) => t.ask("one", { name: 7 as Nonsense }),
      "Cannot use this name of a step: expected text, got number",
    ],
    [
      (t) => t.askAll(["one"], { name: 7 as Nonsense }),
      "Cannot use this name of a step: expected text, got number",
    ],
    [(t) => t.ask("one", { timeout: Infinity }), "Cannot wait Infinity ms: expected a number from 0"],
    [(t) => t.think(NaN), "Cannot wait NaN ms: expected a number from 0"],
    [(t) => t.think("soon"), 'got "soon"'],
    [(t) => t.on("one", undefined as Nonsense), "Cannot handle frames: expected a function, got undefined"],
    [(t) => t.on("one", boom), "threw Error: boom"],
    [(t) => t.on("one", () => Promise.reject(new Error("boom"))), "threw Error: boom"],
  ];
  for (const [misuse, text] of cases) {
    const { findings } = await runTested({
      session: async (t) => {
        await misuse(t);
        await t.ask("one", { timeout: "1s" }).catch(() => {});
      },
    });
    assertEquals(findings[0]?.kind, "scenario", text);
    assertStringIncludes(findings[0]!.text, text);
  }
});

Deno.test(
  "Session.ask() finds an expectation that returns a promise, which could not fail",
  pure,
  async () => {
    const outcomes = [
      () => Promise.resolve(false),
      () => Promise.resolve(true),
      () => Promise.reject(new Error("no")),
    ];
    for (const expect of outcomes as Nonsense[]) {
      const { findings } = await runTested({
        session: async (t) => void await t.ask("one", { expect }),
      });
      assertEquals(findings[0]?.kind, "wrong");
      assertStringIncludes(findings[0]!.text, "the function returned a promise, expected true or false");
    }
  },
);

Deno.test("runLoadTest() finds whatever a session throws, on one line", pure, async () => {
  const evil = Object.defineProperty(new Error(), "message", { get: boom });
  const cases: [unknown, string][] = [
    [undefined, "threw undefined, which is not an Error"],
    [Symbol("x"), "threw Symbol(x), which is not an Error"],
    [{ toString: boom }, "threw an error that cannot be shown, which is not an Error"],
    [Object.create(null), "threw an error that cannot be shown, which is not an Error"],
    [evil, "threw Error: an error that cannot be shown at user_errors_test.ts"],
    [new Error("\x1b[31m1\x1b[39m\n\n  two\x07"), "threw Error: 1 two\\x07 at user_errors_test.ts"],
    [new Error("x".repeat(2000)), "… (2000 characters) at user_errors_test.ts"],
  ];
  for (const [thrown, text] of cases) {
    const { findings } = await runTested({ session: () => Promise.reject(thrown) });
    assertEquals(findings[0]?.kind, "scenario");
    assertStringIncludes(findings[0]!.text, text);
    assertEquals(findings[0]!.text.includes("\n"), false);
  }
});

Deno.test("scenario() refuses data that are no rows", pure, () => {
  for (const data of [5, null, {}, { file: 5 }, [1, 2], [null]] as Nonsense[]) {
    assertThrows(() => scenario({ codec, session, data }), TypeError, "Cannot use the data of the scenario");
  }
});
