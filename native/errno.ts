/** The error numbers of Linux by name and text. Pure. @module */

/** An error number's symbolic name, and the text that the C library has for it. */
export interface Errno {
  readonly name: string;
  readonly text: string;
}

// The numbers are the same on x86-64 and arm64 (asm-generic/errno-base.h and errno.h).
const TABLE: ReadonlyMap<number, Errno> = new Map(
  ([
    [1, "EPERM", "Operation not permitted"],
    [2, "ENOENT", "No such file or directory"],
    [4, "EINTR", "Interrupted system call"],
    [5, "EIO", "Input/output error"],
    [9, "EBADF", "Bad file descriptor"],
    [11, "EAGAIN", "Resource temporarily unavailable"],
    [12, "ENOMEM", "Cannot allocate memory"],
    [13, "EACCES", "Permission denied"],
    [14, "EFAULT", "Bad address"],
    [17, "EEXIST", "File exists"],
    [20, "ENOTDIR", "Not a directory"],
    [22, "EINVAL", "Invalid argument"],
    [23, "ENFILE", "Too many open files in system"],
    [24, "EMFILE", "Too many open files"],
    [28, "ENOSPC", "No space left on device"],
    [30, "EROFS", "Read-only file system"],
    [32, "EPIPE", "Broken pipe"],
    [36, "ENAMETOOLONG", "File name too long"],
    [38, "ENOSYS", "Function not implemented"],
    [64, "ENONET", "Machine is not on the network"],
    [71, "EPROTO", "Protocol error"],
    [88, "ENOTSOCK", "Socket operation on non-socket"],
    [91, "EPROTOTYPE", "Protocol wrong type for socket"],
    [92, "ENOPROTOOPT", "Protocol not available"],
    [93, "EPROTONOSUPPORT", "Protocol not supported"],
    [95, "EOPNOTSUPP", "Operation not supported"],
    [97, "EAFNOSUPPORT", "Address family not supported by protocol"],
    [98, "EADDRINUSE", "Address already in use"],
    [99, "EADDRNOTAVAIL", "Cannot assign requested address"],
    [100, "ENETDOWN", "Network is down"],
    [101, "ENETUNREACH", "Network is unreachable"],
    [103, "ECONNABORTED", "Software caused connection abort"],
    [104, "ECONNRESET", "Connection reset by peer"],
    [105, "ENOBUFS", "No buffer space available"],
    [106, "EISCONN", "Transport endpoint is already connected"],
    [107, "ENOTCONN", "Transport endpoint is not connected"],
    [110, "ETIMEDOUT", "Connection timed out"],
    [111, "ECONNREFUSED", "Connection refused"],
    [112, "EHOSTDOWN", "Host is down"],
    [113, "EHOSTUNREACH", "No route to host"],
    [114, "EALREADY", "Operation already in progress"],
    [115, "EINPROGRESS", "Operation now in progress"],
  ] as const).map(([number, name, text]) => [number, { name, text }]),
);

const NUMBERS: ReadonlyMap<string, number> = new Map([...TABLE].map(([number, { name }]) => [name, number]));

/** Returns the name and text of an error number; an unknown one is `E` and its digits. */
export function describeErrno(errno: number): Errno {
  return TABLE.get(errno) ?? { name: `E${errno}`, text: "Unknown error" };
}

/**
 * Returns the number of an error name.
 *
 * @throws {RangeError} If the name is unknown.
 */
export function errnoOf(name: string): number {
  const number = NUMBERS.get(name);
  if (number === undefined) throw new RangeError(`Cannot find error ${name}: expected a name as in errno(3)`);
  return number;
}

/** Errors of `accept`, `connect`, `recv`, and `send`, by their pages of the Linux manual (and ip(7), tcp(7)). */
export const SOCKET_ERRORS: ReadonlySet<number> = new Set(
  [
    "EPERM",
    "EINTR",
    "EBADF",
    "EAGAIN",
    "ENOMEM",
    "EACCES",
    "EFAULT",
    "ENFILE",
    "EMFILE",
    "EPIPE",
    "ENONET",
    "EPROTO",
    "ENOTSOCK",
    "EPROTOTYPE",
    "ENOPROTOOPT",
    "EOPNOTSUPP",
    "EAFNOSUPPORT",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "ENETDOWN",
    "ENETUNREACH",
    "ECONNABORTED",
    "ECONNRESET",
    "ENOBUFS",
    "EISCONN",
    "ENOTCONN",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EALREADY",
    "EINPROGRESS",
  ].map(errnoOf),
);
