/** Whether a running service accepts, as its operator wants it. @module */
import type { RunningService } from "./service_command.ts";

/** Suspends and resumes a service for as long as it runs. */
export class SuspendControl {
  readonly #service: Pick<RunningService, "suspend" | "resume">;
  #suspended = false;
  #ending = false;

  constructor(service: Pick<RunningService, "suspend" | "resume">) {
    this.#service = service;
  }

  /** Whether it is the operator who keeps the service from accepting. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** Stops accepting until {@linkcode SuspendControl.resume}. Gives why it cannot, or `undefined`; doing it twice is no mistake. */
  suspend(): string | undefined {
    if (this.#ending) return "Cannot suspend: the server is draining";
    if (this.#service.suspend === undefined) return "Cannot suspend: this service takes no connections";
    this.#service.suspend();
    this.#suspended = true;
    return undefined;
  }

  /** Accepts again, those first who have come meanwhile. Gives why it cannot, or `undefined`. */
  resume(): string | undefined {
    if (this.#ending) return "Cannot resume: the server is draining";
    if (this.#service.resume === undefined) return "Cannot resume: this service takes no connections";
    this.#service.resume();
    this.#suspended = false;
    return undefined;
  }

  /** From now on the service accepts nobody, whatever is asked. */
  end(): void {
    this.#ending = true;
  }
}
