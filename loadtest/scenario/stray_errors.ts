/** Errors that a scenario throws where nothing can catch them. @module */
import { AskError, SessionStoppedError, UnsentError } from "./errors.ts";

/** Receives an error, and a description of the code that threw it. */
export type OnStrayError = (part: string, error: unknown) => void;

/** Whether the ledger has the error already, or the run is over. */
function isKnown(error: unknown): boolean {
  return error instanceof SessionStoppedError ||
    (error instanceof AskError && !(error instanceof UnsentError));
}

/**
 * Receives the errors of timers, event handlers, and promises that nothing awaits. They would otherwise end the process,
 * and the results of all its clients with it. Disposing of it leaves such errors to the runtime again.
 */
export function catchStrayErrors(onError: OnStrayError): Disposable {
  const receive = (event: Event, part: string, error: unknown): void => {
    event.preventDefault();
    if (!isKnown(error)) onError(part, error);
  };
  const rejected = (event: PromiseRejectionEvent): void =>
    receive(event, "a promise that nothing awaits", event.reason);
  const thrown = (event: ErrorEvent): void => receive(event, "a timer or an event handler", event.error);
  globalThis.addEventListener("unhandledrejection", rejected);
  globalThis.addEventListener("error", thrown);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", rejected);
      globalThis.removeEventListener("error", thrown);
    },
  };
}
