/** Ephemeral ports. @module */
import { systemError } from "../internal/os_errors.ts";

// As on Linux by default (ip_local_port_range).
const FIRST = 32768;
const LAST = 60999;

/** Picks ports in sequence, so that a freed port is not reused immediately. */
export class EphemeralPorts {
  #last = FIRST - 1;

  /** @throws {Deno.errors.AddrNotAvailable} If no port is free. */
  pick(free: (port: number) => boolean): number {
    for (let tries = FIRST; tries <= LAST; tries++) {
      this.#last = this.#last < LAST ? this.#last + 1 : FIRST;
      if (free(this.#last)) return this.#last;
    }
    const none = new Deno.errors.AddrNotAvailable("Cannot assign requested address");
    throw systemError(none, "EADDRNOTAVAIL");
  }
}
