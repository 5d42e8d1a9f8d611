/** The errors of the system, for sockets that are not the system's. @module */

export function badResource(): Error {
  return new Deno.errors.BadResource("Bad resource ID");
}

export function interrupted(): Error {
  return systemError(new Deno.errors.Interrupted("operation canceled"), "EINTR");
}

export function brokenPipe(): Error {
  return systemError(new Deno.errors.BrokenPipe("Broken pipe"), "EPIPE");
}

export function connectionReset(): Error {
  return systemError(new Deno.errors.ConnectionReset("Connection reset by peer"), "ECONNRESET");
}

/** For who begins an operation while another of its kind is under way. */
export function twice(what: string): Error {
  return new TypeError(`Cannot ${what} twice at once`);
}

/** Gives an error the `code` that the system's have. */
export function systemError(error: Error, code: string): Error {
  return Object.assign(error, { code });
}
