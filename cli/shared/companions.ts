/** Options that have no effect without another one. Pure. @module */
import { optionName } from "../args/program.ts";
import { UsageError } from "../terminal/exit.ts";

/** The option that each of some options needs. */
export type Companions = Readonly<Record<string, string>>;

/** The companions of the options that servers and load tests share. */
export const ADMIN_COMPANIONS: Companions = { adminName: "admin" };

/**
 * Refuses options whose companion is missing, because they would be ignored.
 *
 * @param values The values of all options; an option that was not given is undefined, `false`, or an empty list.
 * @throws {UsageError} If one is given without the option that it needs.
 */
export function assertCompanions(values: object, companions: Companions): void {
  for (const [name, needed] of Object.entries(companions)) {
    if (isGiven(Reflect.get(values, name)) && !isGiven(Reflect.get(values, needed))) {
      throw new UsageError(`Cannot use --${optionName(name)} without --${optionName(needed)}`);
    }
  }
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}
