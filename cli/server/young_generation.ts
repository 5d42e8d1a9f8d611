/** The memory that the first thread of a server gives to short-lived objects. It loads this file, so keep it small. @module */

/** Services whose connections leave hardly any garbage over epoll. */
const LEAN: ReadonlySet<string> = new Set(["relay", "echo"]);
// MB. The heap of these services has more use of the rest. Others, and all over the sockets of Deno, would move objects to the
// old generation that are about to die: an HTTP service then passes a fifth less, and takes more memory.
const SMALL = 3;

/** Returns the limit in MB for a command line of `server.ts`, or `undefined` for the usual one. */
export function youngGenerationFor(args: readonly string[]): number | undefined {
  const [service] = args;
  const isLean = service === undefined || service.startsWith("-") || LEAN.has(service);
  const isOverEpoll = args.some((arg, index) =>
    arg === "--transport=epoll" || arg === "epoll" && args[index - 1] === "--transport"
  );
  return isLean && isOverEpoll ? SMALL : undefined;
}
