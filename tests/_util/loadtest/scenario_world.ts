/** A scenario against an in-memory server, with virtual time. */
import {
  type LoadTestRun,
  runLoadTest,
  type Scenario,
  scenario,
  type ScenarioTestOptions,
  type Session,
} from "../../../loadtest/mod.ts";
import { type Clock, type Connection, type Handler, lineCodec, listen } from "../../../socket/mod.ts";
import { Simulation } from "./simulation.ts";

/** Runs a line scenario against a server that serves each connection with `serve`. */
export async function runInMemory<Shared>(
  options: Omit<ScenarioTestOptions<string, Shared>, "target"> & {
    readonly serve: (peer: Connection<string>, clock: Clock) => void | Promise<void>;
  },
): Promise<LoadTestRun & { readonly now: number }> {
  const { serve, ...rest } = options;
  const world = new Simulation();
  const server = listen(world.seam);
  server.serve((peer) => serve(peer, world.clock));
  try {
    const run = await world.clock.runUntil(
      runLoadTest({ clients: 1, seed: 1, ...world.seam, target: server.addresses, ...rest }),
    );
    return { ...run, now: world.clock.now() };
  } finally {
    await world.clock.runUntil(server.close());
  }
}

/** Answers each line with the result of `reply`: any number of lines. */
export function answer(reply: (line: string) => readonly string[] | string | undefined): Handler<string> {
  return async (peer) => {
    for await (const line of peer) {
      for (const text of [reply(line) ?? []].flat()) peer.send(text);
    }
  };
}

/** Returns the kinds of the findings, each once, without the reasons that explain them. */
export function kindsOf(run: { findings: readonly { kind: string }[] }): string[] {
  return [...new Set(run.findings.map(({ kind }) => kind))].filter((kind) => kind !== "reason");
}

/** Sixteen requests of a line protocol. */
export const LINES: readonly string[] = Array.from({ length: 16 }, (_, index) => `say ${index}`);

/** A line scenario of one session. */
export function once(session: (t: Session) => Promise<unknown>): Scenario<string, undefined> {
  return scenario({ codec: lineCodec(), session: async (t) => void await session(t) });
}
