/** Errors that a session's methods throw, and where in a scenario file an error was thrown. Pure. @module */

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

/**
 * Describes an error that a scenario threw: its message, and the file and line of the first frame outside of this
 * project's load tester.
 */
export function describeThrown(error: unknown, file?: string): string {
  if (!(error instanceof Error)) return `threw ${String(error)}, which is not an Error`;
  const places = [...(error.stack ?? "").matchAll(/\(?((?:file|https?|data|blob):[^\s()]+:\d+:\d+)\)?$/gm)]
    .map(([, place = ""]) => place);
  const own = places.find((place) => file !== undefined && place.startsWith(file)) ?? places[0];
  const text = `threw ${error.name}: ${error.message}`;
  return own === undefined ? text : `${text} at ${shorten(own)}`;
}

/** `users.ts:12:5` of a long URL. */
function shorten(place: string): string {
  const path = place.replace(/\?.*?(?=:\d+:\d+$)/, "");
  return path.startsWith("data:") ? path.slice(-20) : path.split("/").at(-1) ?? path;
}
