/** Errors that a session's methods throw, and where in a scenario file an error was thrown. Pure. @module */
import { printable } from "../../internal/printable.ts";

/** The place of a failed request among those of {@linkcode Session.askAll}. */
interface AskPlace {
  readonly index: number;
  readonly size: number;
  /** The frame as a finding shows it. */
  readonly request: string;
  readonly failures: number;
}

/** A request failed. The ledger already has the failure; a scenario may catch this error and go on. */
export class AskError extends Error {
  /** Always `AskError`. */
  override readonly name = "AskError";
  /** The step of the request, as in the report. */
  readonly step: string;
  /** Why it failed. */
  readonly result: "wrong" | "truncated" | "foreign" | "lost" | "under-way";
  /** The index of the first failed frame of `askAll`; `undefined` for `ask`. */
  readonly index: number | undefined;
  /** Number of failed requests of `askAll`; 1 for `ask`. */
  readonly failures: number;

  /**
   * Creates the error of a request.
   *
   * @param failure.step Its step
   * @param failure.result Why it failed
   * @param failure.detail The expected and the actual frame
   * @param failure.place Its place among the requests of `askAll`. Default: it was sent by `ask`
   */
  constructor(
    { step, result, detail, place }: {
      readonly step: string;
      readonly result: AskError["result"];
      readonly detail: string;
      readonly place?: AskPlace;
    },
  ) {
    super(place === undefined ? `Request ${step}: ${detail}` : describeFailure(step, detail, place));
    this.step = step;
    this.result = result;
    this.index = place?.index;
    this.failures = place?.failures ?? 1;
  }
}

/** A frame of `send` was not sent. The ledger does not have that, because it is not a request. */
export class UnsentError extends AskError {}

function describeFailure(step: string, detail: string, { index, size, request, failures }: AskPlace): string {
  const others = failures > 1 ? `; ${failures} of ${size} requests failed` : "";
  return `Request ${step} (index ${index} of ${size}, ${request}): ${detail}${others}`;
}

/** The run is over, and so is the session. */
export class SessionStoppedError extends Error {
  /** Always `SessionStoppedError`. */
  override readonly name = "SessionStoppedError";

  constructor() {
    super("The run is over");
  }
}

/** The folders of this project that are between a scenario and its errors. */
const OWN_FOLDERS = ["../", "../../socket/"].map((path) => new URL(path, import.meta.url).href);
/** Most UTF-16 units of a message that a finding shows. */
const SHOWN = 300;
/** Colors of a terminal, which assertions use. */
// deno-lint-ignore no-control-regex
const COLORS = /\x1b\[[\d;]*m/g;

/** A scenario cannot be used: `setup` failed, or its data is invalid. */
export class ScenarioError extends Error {
  /** Always `ScenarioError`. */
  override readonly name = "ScenarioError";
}

/**
 * Returns the message of whatever was thrown, on one line: an assertion prints a diff over several lines, in colors. Never
 * throws, whatever a scenario throws.
 */
export function messageOf(error: unknown): string {
  try {
    const text = error instanceof Error ? String(error.message) : String(error);
    const line = text.replaceAll(COLORS, "").trim().replaceAll(/\s+/g, " ");
    // A backslash is doubled only where an unsafe character is spelled out; the message may quote one itself.
    return printable(line, SHOWN).replaceAll("\\\\", "\\");
  } catch {
    return "an error that cannot be shown";
  }
}

/**
 * Describes an error that a scenario threw: its message, and the file and line of the first frame in `file`, or else outside
 * of this project's load tester and sockets. Never throws.
 */
export function describeThrown(error: unknown, file?: string): string {
  if (!(error instanceof Error)) return `threw ${messageOf(error)}, which is not an Error`;
  const text = `threw ${kindOf(error)}: ${messageOf(error)}`;
  const place = placeOf(error, file);
  return place === undefined ? text : `${text} at ${shorten(place)}`;
}

function kindOf(error: Error): string {
  try {
    return printable(String(error.name), SHOWN);
  } catch {
    return "Error";
  }
}

function placeOf(error: Error, file: string | undefined): string | undefined {
  let stack: string;
  try {
    stack = String(error.stack ?? "");
  } catch {
    return undefined;
  }
  const places = [...stack.matchAll(/\(?((?:file|https?|data|blob):[^\s()]+:\d+:\d+)\)?$/gm)]
    .map(([, place = ""]) => place);
  return places.find((place) => file !== undefined && place.startsWith(file)) ??
    places.find((place) => !OWN_FOLDERS.some((folder) => place.startsWith(folder)));
}

/** `users.ts:12:5` of a long URL. */
function shorten(place: string): string {
  const path = place.replace(/\?.*?(?=:\d+:\d+$)/, "");
  return path.startsWith("data:") ? path.slice(-20) : path.split("/").at(-1) ?? path;
}
