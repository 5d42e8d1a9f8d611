/** Advice when a server does not answer. Pure. @module */

/** Ends of errors that mean that nothing answers at an address. TLS that fails, for example, has an answer. */
const NO_SERVER =
  /: (?:refused|unreachable|timeout(?: after .*)?|failed to lookup address .*|No such file .*)$/;

/**
 * Returns advice if an error of connecting means that there is no server.
 *
 * @param options The options that name the server, such as `--target`.
 */
export function adviseWithoutServer(error: string, options: string): string | undefined {
  return NO_SERVER.test(error) ? `Start the server first, or correct ${options}` : undefined;
}
