/** Local addresses. @module */

/**
 * Whether an address belongs to this machine. It tries to bind a socket to the address, which needs no permission to list
 * the network interfaces. An address that cannot be bound for another reason counts as local.
 */
export function isLocalAddress(hostname: string): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname, port: 0 }).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.AddrNotAvailable);
  }
}
