/** Changes to a running server that hold for processes that are started later, too. @module */
import type { Worker } from "./worker.ts";

/** The changes since the start of a server. */
export class Changes {
  /** Limits by the names of options. */
  readonly limits: URLSearchParams = new URLSearchParams();
  /** Names of drained backends. */
  readonly drained = new Set<string>();
  /** Whether accepting is suspended. */
  suspended = false;

  /** Makes the same changes to a new process. */
  repeat(worker: Worker): void {
    if (this.suspended) void worker.request("suspend");
    if (this.limits.size > 0) void worker.request(`limits ${this.limits}`);
    for (const name of this.drained) void worker.request(`drain ${name}`);
  }
}
