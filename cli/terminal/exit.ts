/** Exit codes by name, and the errors that carry one. Pure. @module */

/** The exit codes of every program. */
export const ExitCode = {
  /** Success. */
  ok: 0,
  /** Something failed, or was not proven. */
  failure: 1,
  /** The command line is invalid; nothing was started. */
  usage: 2,
  /** The measurement is invalid. */
  invalid: 3,
  /** The run succeeded, but a threshold was crossed. */
  threshold: 99,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** One of {@linkcode ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * Ends a program with one line on stderr and no stack trace, for errors that the user can fix, such as a port in
 * use or a missing file.
 */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
  readonly exitCode: ExitCode;

  constructor(message: string, options?: ErrorOptions & { exitCode?: ExitCode }) {
    super(message, options);
    this.exitCode = options?.exitCode ?? ExitCode.failure;
  }
}

/** The program that reads the output has ended, as `head` does after its lines; the exit code is 1. */
export class ReaderGoneError extends ExitError {
  override readonly name = "ReaderGoneError";

  constructor(options?: ErrorOptions) {
    super("Cannot write the output: its reader has gone", options);
  }
}

/** The command line or an environment variable is invalid; the exit code is 2. */
export class UsageError extends ExitError {
  override readonly name = "UsageError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, exitCode: ExitCode.usage });
  }
}
