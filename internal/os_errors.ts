/** OS errors for sockets that the OS does not provide. @module */

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

/** Returns an error for an operation that begins while another of its kind is pending. */
export function twice(what: string): Error {
  return new TypeError(`Cannot ${what} twice at once`);
}

/** Adds the `code` that an OS error has. */
export function systemError(error: Error, code: string): Error {
  return Object.assign(error, { code });
}
