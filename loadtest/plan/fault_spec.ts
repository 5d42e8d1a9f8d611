/** The faults that a run injects, in the notation of the command line. Pure. @module */

/** Faults to inject. Shares are from 0 to 1: of all connections, or of all oks. */
export interface FaultSpec {
  /** Connections that are reset. */
  readonly reset?: number;
  /** Connections that stop for a second. */
  readonly stall?: number;
  /** Every read and write moves only a few bytes. */
  readonly slice?: true;
  /** Oks that are lost in transit, in either direction. */
  readonly dropOk?: number;
  /** Oks that arrive twice. */
  readonly duplicateOk?: number;
}

/** Written names of the shares. */
const SHARES = {
  reset: "reset",
  stall: "stall",
  "drop-ok": "dropOk",
  "duplicate-ok": "duplicateOk",
} as const;

/** The notation of {@linkcode parseFaults}, for help and errors. */
export const FAULTS_ACCEPTED =
  "reset=1%, stall=0.5%, slice, drop-ok=0.1%, duplicate-ok=0.1%, separated by commas";

/**
 * Reads `reset=1%,stall=0.5%,slice,drop-ok=0.1%,duplicate-ok=0.1%`, or any part of it.
 *
 * @throws {TypeError} If `spec` has another form, or names a fault twice
 * @throws {RangeError} If a share is not above 0 % and up to 100 %
 *
 * @example
 * ```ts
 * import { formatFaults, parseFaults } from "./fault_spec.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseFaults("reset=1%,slice"), { reset: 0.01, slice: true });
 * assertEquals(formatFaults({ dropOk: 0.001 }), "drop-ok=0.1%");
 * ```
 */
export function parseFaults(spec: string): FaultSpec {
  const faults: { -readonly [Name in keyof FaultSpec]: FaultSpec[Name] } = {};
  for (const part of spec.split(",")) {
    const [, name = "", number] = /^([a-z-]+)(?:=(\d+(?:\.\d+)?)%)?$/.exec(part) ?? [];
    if (name === "slice" && number === undefined && faults.slice === undefined) {
      faults.slice = true;
      continue;
    }
    const key = isShare(name) ? SHARES[name] : undefined;
    if (key === undefined || number === undefined || faults[key] !== undefined) {
      throw new TypeError(`Cannot use faults "${spec}": expected ${FAULTS_ACCEPTED}`);
    }
    const share = Number(number) / 100;
    if (share <= 0 || share > 1) {
      throw new RangeError(`Cannot use fault "${part}": expected a share above 0% and up to 100%`);
    }
    faults[key] = share;
  }
  return faults;
}

/** Formats faults in the notation of {@linkcode parseFaults}. */
export function formatFaults(faults: FaultSpec): string {
  const shares = Object.entries(SHARES).flatMap(([name, key]) => {
    const share = faults[key];
    return share === undefined ? [] : [`${name}=${Number((share * 100).toPrecision(12))}%`];
  });
  return [...shares, ...(faults.slice ? ["slice"] : [])].join(",");
}

function isShare(name: string): name is keyof typeof SHARES {
  return Object.hasOwn(SHARES, name);
}
