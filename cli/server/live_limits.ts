/** Limits that can change while a service runs, by the names of its options. @module */
import type { ConnectionTimeouts } from "../../socket/connection/options.ts";
import type { RelayLimits } from "../../relay/server_options.ts";
import { quoted } from "../../internal/printable.ts";
import { optionName, type OptionTable } from "../args/program.ts";
import type { RunningService } from "./service_command.ts";

/** Names of limits in the options of services, and in the library. */
const LIMITS = {
  maxConnections: "maxConnections",
  maxConnectionsPerIp: "maxConnectionsPerIp",
  whenFull: "whenFull",
  acceptRate: "maxAcceptRate",
  writeBuffer: "writeBuffer",
  maxInFlight: "maxInFlight",
  maxInFlightPerPeer: "maxInFlightPerPeer",
} as const satisfies Readonly<Record<string, keyof RelayLimits>>;

const TIMEOUTS = {
  idleTimeout: "idle",
  firstLineTimeout: "firstFrame",
  writeTimeout: "write",
  drainTimeout: "drain",
} as const satisfies Readonly<Record<string, keyof ConnectionTimeouts>>;

const NAMES = { ...LIMITS, ...TIMEOUTS };

/** Changes the limits of a running service. */
export class LiveLimits {
  readonly #service: Pick<RunningService, "setLimits">;
  readonly #options: OptionTable;
  readonly #keys: readonly string[];
  #values: Readonly<Record<string, unknown>>;

  /**
   * @param options The options of the service.
   * @param values Their values at the start.
   */
  constructor(
    service: Pick<RunningService, "setLimits">,
    { options, values }: { readonly options: OptionTable; readonly values: object },
  ) {
    this.#service = service;
    this.#options = options;
    this.#keys = Object.keys(NAMES).filter((key) => Object.hasOwn(options, key));
    this.#values = Object.fromEntries(this.#keys.map((key) => [key, Reflect.get(values, key)]));
  }

  /** The limits that can change, by option name, present and former, in the notation of the command line. */
  get current(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#keys.flatMap((key) => {
        const value = this.#options[key]!.format(this.#values[key]);
        return this.#namesOf(key).map((name) => [name, value]);
      }),
    );
  }

  /**
   * Changes limits, all of them or none. Limits of accepting apply immediately, and close no connection; the others apply to
   * connections that are accepted from now on. Resolves when they have changed in every process.
   *
   * @param changes Names and values as on the command line, such as `max-connections=100`.
   * @throws {RangeError} If a name is not one of a limit that can change, or a value is not accepted.
   */
  async set(changes: URLSearchParams): Promise<void> {
    if (changes.size === 0) throw new RangeError(`Cannot change limits: expected ${this.#accepted()}`);
    const values: Record<string, unknown> = {};
    // For further processes, which keep the changes by name: a limit must not have two.
    const named = new URLSearchParams();
    for (const [name, text] of changes) {
      const key = this.#keyOf(name);
      const value = this.#parse(key, text);
      // The list of limits has some by two names, and may be sent back as it is.
      if (Object.hasOwn(values, key) && !this.#same(key, values[key], value)) {
        throw new RangeError(`Cannot set ${name} twice`);
      }
      values[key] = value;
      named.set(optionName(key), text);
    }
    const changed = this.#service.setLimits?.(pick(LIMITS, values), pick(TIMEOUTS, values), named);
    this.#values = { ...this.#values, ...values };
    await changed;
  }

  #same(key: string, one: unknown, other: unknown): boolean {
    const { format } = this.#options[key]!;
    return format(one) === format(other);
  }

  #keyOf(name: string): string {
    const key = this.#keys.find((key) => this.#namesOf(key).includes(name));
    if (key !== undefined) return key;
    const known = Object.keys(this.#options).some((key) => optionName(key) === name);
    throw new RangeError(
      known
        ? `Cannot change ${name} while the server runs: only ${this.#accepted()} can change`
        : `Cannot change ${quoted(name)}: expected ${this.#accepted()}`,
    );
  }

  #namesOf(key: string): readonly string[] {
    const { formerName } = this.#options[key]!.settings;
    return formerName === undefined ? [optionName(key)] : [optionName(key), formerName];
  }

  #accepted(): string {
    return this.#keys.map(optionName).join(", ");
  }

  #parse(key: string, text: string): unknown {
    try {
      return this.#options[key]!.parse(text);
    } catch (cause) {
      if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
      throw new RangeError(`Cannot set ${optionName(key)}: ${lowerFirst(cause.message)}`, { cause });
    }
  }
}

function pick(names: Readonly<Record<string, string>>, values: Readonly<Record<string, unknown>>): object {
  const given = Object.entries(names).filter(([key]) => Object.hasOwn(values, key));
  return Object.fromEntries(given.map(([key, name]) => [name, values[key]]));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
