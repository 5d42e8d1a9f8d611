import { assert, assertEquals } from "@std/assert";
import { isSampled } from "../../../admin/telemetry/sampling.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("isSampled() chooses about the part that was asked for, the same for the same seed", pure, () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `message ${index}`);
  const chosen = (seed: number, ratio: number) => names.filter((name) => isSampled(name, { seed, ratio }));
  for (const ratio of [0.01, 0.1, 0.5]) {
    const { length } = chosen(7, ratio);
    const deviation = Math.sqrt(names.length * ratio * (1 - ratio));
    assert(Math.abs(length - names.length * ratio) < 5 * deviation, `${length} of ${ratio}`);
  }
  assertEquals(chosen(7, 0.1), chosen(7, 0.1));
  const both = chosen(8, 0.1).filter((name) => isSampled(name, { seed: 7, ratio: 0.1 })).length;
  assert(both < 400, `${both}`);
  assertEquals([chosen(7, 0).length, chosen(7, 1).length], [0, names.length]);
});

Deno.test("isSampled() chooses a name the same wherever it begins in a text", pure, () => {
  const sampling = { seed: 3, ratio: 0.5 };
  for (let number = 0; number < 100; number++) {
    const [name, prefix] = [`text ${number}`, "message "];
    assertEquals(isSampled(prefix + name, sampling, prefix.length), isSampled(name, sampling));
  }
});
