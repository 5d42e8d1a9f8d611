/** Scenarios of users who make mistakes. */
import { assertEquals } from "@std/assert";
import { type LoadTestRun, type Scenario, scenario, type Session } from "../../../loadtest/mod.ts";
import { HistoryVerifier } from "../../../loadtest/history/verify.ts";
import { type Codec, lineCodec } from "../../../socket/mod.ts";
import { answer, runInMemory } from "./scenario_world.ts";

/** A value that the types of a scenario refuse; a compiled program does not check them. */
// deno-lint-ignore no-explicit-any
export type Nonsense = any;

export const codec: Codec<string> = lineCodec();
export const echo: ReturnType<typeof answer> = answer((line) => line);
export const session = async (t: Session): Promise<void> => void await t.ask("one", { expect: "one" });

/** Runs a scenario, and checks that its history gives the same verdict again. */
export async function runTested(
  tested: Partial<Scenario<string, Nonsense>>,
): Promise<LoadTestRun & { now: number }> {
  const history = new HistoryVerifier();
  const result = await runInMemory({
    serve: echo,
    clients: 2,
    deadline: "20s",
    timeout: "2s",
    scenario: scenario({ codec, session, ...tested }),
    onHistoryLine: (line) => history.push(line),
  });
  assertEquals(history.end().discrepancies, []);
  assertEquals(history.end().verdict, result.verdict);
  return result;
}
