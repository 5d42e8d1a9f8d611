/** Whether an address is one of this machine. @module */

/**
 * Asks the OS by binding a socket to the address, which needs no permission to list the interfaces. An address that may
 * not be bound for another reason counts as local.
 */
export function isLocalAddress(hostname: string): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname, port: 0 }).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.AddrNotAvailable);
  }
}
