/** How a program ends: exit codes by name, and the errors that carry one. Pure. @module */

/** The exit codes of every program. */
export const ExitCode = {
  /** All went as asked. */
  ok: 0,
  /** Something failed, or what was to be proven is not so. */
  failure: 1,
  /** The command line cannot be understood; nothing was started. */
  usage: 2,
  /** A measurement came about in a way that makes it mean nothing. */
  invalid: 3,
  /** All went well, but a threshold was crossed. */
  threshold: 99,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** One of {@linkcode ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * Ends a program with one line on stderr and no stack: for what the user can do something about, such as a port in
 * use or a file that is not there.
 */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
  readonly exitCode: ExitCode;

  constructor(message: string, options?: ErrorOptions & { exitCode?: ExitCode }) {
    super(message, options);
    this.exitCode = options?.exitCode ?? ExitCode.failure;
  }
}

/** The command line or an environment variable says what the program does not take; exit 2. */
export class UsageError extends ExitError {
  override readonly name = "UsageError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, exitCode: ExitCode.usage });
  }
}
