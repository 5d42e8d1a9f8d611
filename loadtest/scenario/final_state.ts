/** The state of a server after a scenario run: what `expectState` returns, and sockets counted from outside. @module */
import type { Clock } from "../../internal/clock.ts";
import { quoted } from "../../internal/printable.ts";
import type { ServerState } from "../history/events.ts";
import { type Called, callLimited } from "./call_limited.ts";
import type { Scenario } from "./scenario.ts";

/** Interval at which the state of the server is read, and the longest time until it must be 0, in ms. */
const POLL_MS = 50;
const ZERO_TIMEOUT = 5000;

/** Options for {@linkcode askFinalState}. */
export interface FinalStateOptions {
  readonly clock: Clock;
  /** Counts the sockets of the server. Default: not counted. */
  readonly descriptors?: () => number | null;
  /** URL of the scenario file, which `unread` names. */
  readonly file?: string | undefined;
}

/**
 * Asks the server for its state until every figure is 0, or 5 seconds have passed. A state that cannot be read is one with
 * `unread`. `null` if there is nothing to ask.
 */
export async function askFinalState(
  { expectState }: { readonly expectState?: Scenario["expectState"] | undefined },
  { clock, descriptors, file }: FinalStateOptions,
): Promise<ServerState | null> {
  if (expectState === undefined && descriptors === undefined) return null;
  const giveUpAt = clock.now() + ZERO_TIMEOUT;
  while (true) {
    const custom = expectState && await readCustom(expectState, { clock, file, giveUpAt });
    const sockets = descriptors?.() ?? null;
    const zero = custom?.failure === undefined &&
      Object.values(custom?.value ?? {}).every((value) => value === 0) && (sockets ?? 0) === 0;
    if (zero || clock.now() >= giveUpAt) {
      return {
        connections: null,
        pending: null,
        timers: null,
        queuedBytes: null,
        descriptors: sockets,
        closed: {},
        ...(custom === undefined
          ? {}
          : custom.failure === undefined
          ? { custom: custom.value }
          : { unread: custom.failure }),
      };
    }
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
  }
}

type Figures = Readonly<Record<string, number>>;

async function readCustom(
  expectState: NonNullable<Scenario["expectState"]>,
  { clock, file, giveUpAt }: Pick<FinalStateOptions, "clock" | "file"> & { readonly giveUpAt: number },
): Promise<Called<Figures>> {
  const within = Math.max(POLL_MS, Math.ceil(giveUpAt - clock.now()));
  const called = await callLimited(expectState, { name: "expectState()", file, clock, within });
  if (called.failure !== undefined) return called;
  const { value } = called;
  // Without a figure, nothing would show that the server was left with nothing.
  return isFigures(value) ? { value } : {
    failure: `expectState() returned ${describe(value)}, expected numbers by name, as in { connections: 0 }`,
  };
}

function isFigures(value: unknown): value is Figures {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.keys(value).length > 0 && Object.values(value).every((one) => Number.isFinite(one));
}

/** The value, or the first of its figures that is not a number. */
function describe(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return describeOne(value);
  if (Object.keys(value).length === 0) return "no figures";
  const [name = "", figure] = Object.entries(value).find(([, one]) => !Number.isFinite(one)) ?? [];
  return `${quoted(name)}: ${describeOne(figure)}`;
}

function describeOne(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}
