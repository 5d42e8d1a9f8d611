/** Options that have no effect without another one. Pure. @module */
import { optionName } from "../args/program.ts";
import { UsageError } from "../terminal/exit.ts";

/** The option that each of some options needs. */
export type Companions = Readonly<Record<string, string>>;

/** The companions of the options that servers and load tests share. */
export const ADMIN_COMPANIONS: Companions = { adminToken: "admin", adminName: "admin" };

/** The part of a command line that {@linkcode assertCompanions} checks. */
export interface GivenOptions {
  /** The values of all options; that of an option that is off is undefined, `false`, or an empty list. */
  readonly options: object;
  /** The names of the options on the command line. */
  readonly given: ReadonlySet<string>;
}

/**
 * Refuses options whose companion is missing, because they would be ignored. A variable may be set without it: the
 * environment is for all programs.
 *
 * @throws {UsageError} If one is on the command line without the option that it needs.
 */
export function assertCompanions({ options, given }: GivenOptions, companions: Companions): void {
  for (const [name, needed] of Object.entries(companions)) {
    if (given.has(name) && isOn(Reflect.get(options, name)) && !isOn(Reflect.get(options, needed))) {
      throw new UsageError(`Cannot use --${optionName(name)} without --${optionName(needed)}`);
    }
  }
}

function isOn(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}
