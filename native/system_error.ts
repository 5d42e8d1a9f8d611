/** Error numbers of system calls as Deno's error classes. @module */
import { systemError } from "../internal/os_errors.ts";
import { describeErrno } from "./errno.ts";

type ErrorClass = new (message?: string) => Error;

const { errors } = Deno;

/** The classes that Deno throws for these errors, too; for all others it throws a plain `Error` with a `code`. */
const CLASSES: Readonly<Record<string, ErrorClass>> = {
  EACCES: errors.PermissionDenied,
  EADDRINUSE: errors.AddrInUse,
  EADDRNOTAVAIL: errors.AddrNotAvailable,
  EAGAIN: errors.WouldBlock,
  EBADF: errors.BadResource,
  ECONNABORTED: errors.ConnectionAborted,
  ECONNREFUSED: errors.ConnectionRefused,
  ECONNRESET: errors.ConnectionReset,
  EEXIST: errors.AlreadyExists,
  EINTR: errors.Interrupted,
  ENOENT: errors.NotFound,
  ENOTCONN: errors.NotConnected,
  ENOTDIR: errors.NotADirectory,
  EOPNOTSUPP: errors.NotSupported,
  EPERM: errors.PermissionDenied,
  EPIPE: errors.BrokenPipe,
  ETIMEDOUT: errors.TimedOut,
};

/**
 * Makes the error of a failed system call: of Deno's class if it has one, with the errno name as its `code` and the
 * number as its `errno`.
 */
export function errnoError(errno: number): Error {
  const { name, text } = describeErrno(errno);
  const error = new (CLASSES[name] ?? Error)(`${text} (os error ${errno})`);
  return Object.assign(systemError(error, name), { errno });
}
