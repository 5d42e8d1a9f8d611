/** Binds several addresses on one port. @module */
import type { Address } from "../network.ts";

/** The addresses to bind. */
export interface AddressesToBind {
  /** Those that must be bound. */
  readonly hostnames: readonly string[];
  /** Those to bind as well if possible. */
  readonly tryHostnames: readonly string[];
  /** 0 lets the system pick a port, which is the same for all. */
  readonly port: number;
}

/** A bound socket. */
interface Bound {
  readonly address: Address;
  close(): void;
}

/** The sockets of {@linkcode bindAll}. */
export interface BoundAddresses<Socket> {
  /** At least one. */
  readonly sockets: readonly Socket[];
  /** The optional addresses that could not be bound. */
  readonly notBound: readonly { readonly hostname: string; readonly cause: unknown }[];
}

/** Picks of the system before a port that is not free on all addresses is an error: each is one of thousands. */
const MOST_PICKS = 10;

/**
 * Binds addresses, or none.
 *
 * The system picks a port that is free on the first address. If another one has it in use, the system picks again.
 *
 * @param bind Binds one address.
 * @throws {TypeError} If there are no addresses.
 * @throws The error of `bind` for an address that must be bound, or for all optional ones.
 *
 * @example
 * ```ts
 * import { bindAll } from "./bind_all.ts";
 * import { MemoryNetwork } from "../../testing/memory_network.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new MemoryNetwork();
 * const addresses = { hostnames: ["127.0.0.1", "127.0.0.2"], tryHostnames: [], port: 0 };
 * const { sockets } = bindAll(addresses, (hostname, port) => network.listen({ hostname, port }));
 * const [one, other] = sockets.map(({ address }) => address);
 * assertEquals(one?.port, other?.port);
 * ```
 */
export function bindAll<Socket extends Bound>(
  addresses: AddressesToBind,
  bind: (hostname: string, port: number) => Socket,
): BoundAddresses<Socket> {
  for (let picks = addresses.port === 0 ? 1 : MOST_PICKS; picks < MOST_PICKS; picks++) {
    const bound = bindEach(addresses, bind);
    if (!bound.failures.some(({ cause }) => cause instanceof Deno.errors.AddrInUse)) return settled(bound);
    for (const socket of bound.sockets) socket.close();
  }
  return settled(bindEach(addresses, bind));
}

interface Attempt<Socket> {
  readonly sockets: Socket[];
  readonly failures: { readonly hostname: string; readonly cause: unknown; readonly required: boolean }[];
}

/** Binds until an address that must be bound cannot be. */
function bindEach<Socket extends Bound>(
  { hostnames, tryHostnames, port }: AddressesToBind,
  bind: (hostname: string, port: number) => Socket,
): Attempt<Socket> {
  const sockets: Socket[] = [];
  const failures: Attempt<Socket>["failures"] = [];
  for (const [index, hostname] of [...hostnames, ...tryHostnames].entries()) {
    const required = index < hostnames.length;
    try {
      sockets.push(bind(hostname, sockets[0]?.address.port ?? port));
    } catch (cause) {
      failures.push({ hostname, cause, required });
      if (required) break;
    }
  }
  return { sockets, failures };
}

/** Returns what is bound; closes it and throws if that is not enough. */
function settled<Socket extends Bound>({ sockets, failures }: Attempt<Socket>): BoundAddresses<Socket> {
  const fatal = failures.find(({ required }) => required) ??
    (sockets.length === 0 ? failures.at(-1) : undefined);
  if (fatal !== undefined) {
    for (const socket of sockets) socket.close();
    throw fatal.cause;
  }
  if (sockets.length === 0) throw new TypeError("Cannot listen: no address to bind was given");
  return { sockets, notBound: failures };
}
