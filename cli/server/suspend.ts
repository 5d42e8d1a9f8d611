/** Suspends and resumes a running service. @module */
import type { RunningService } from "./service_command.ts";

/** Suspends and resumes a service while it is running. */
export class SuspendControl {
  readonly #service: Pick<RunningService, "suspend" | "resume">;
  #suspended = false;
  #ending = false;

  constructor(service: Pick<RunningService, "suspend" | "resume">) {
    this.#service = service;
  }

  /** Whether the operator has suspended the service. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** Stops accepting until {@linkcode SuspendControl.resume}. Safe to repeat. Returns why it cannot, or `undefined`. */
  async suspend(): Promise<string | undefined> {
    if (this.#ending) return "Cannot suspend: the server is draining";
    if (this.#service.suspend === undefined) return "Cannot suspend: this service takes no connections";
    this.#suspended = true;
    await this.#service.suspend();
    return undefined;
  }

  /** Accepts again, first the peers that were queued. Returns why it cannot, or `undefined`. */
  async resume(): Promise<string | undefined> {
    if (this.#ending) return "Cannot resume: the server is draining";
    if (this.#service.resume === undefined) return "Cannot resume: this service takes no connections";
    this.#suspended = false;
    await this.#service.resume();
    return undefined;
  }

  /** Ends accepting permanently. Later calls are rejected. */
  end(): void {
    this.#ending = true;
  }
}
