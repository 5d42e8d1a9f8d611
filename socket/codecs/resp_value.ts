/** RESP values as JavaScript values. Pure. @module */

/** An error reply, such as `ERR unknown command`. A value, not an `Error`: a stack trace for each would cost more than it says. */
export class RespError {
  /** The error message. */
  readonly message: string;

  /** Creates an error value. */
  constructor(message: string) {
    this.message = message;
  }

  /** Returns the error message. */
  toString(): string {
    return `RespError: ${this.message}`;
  }
}

/** A RESP value. Simple and bulk strings are both text; integers are numbers, or bigints where they are larger. */
export type RespValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | RespError
  | readonly RespValue[]
  | ReadonlyMap<RespValue, RespValue>;
