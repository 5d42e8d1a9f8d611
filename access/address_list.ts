/** Access control by address. @module */
import { BlockList, isIP } from "node:net";

/** Whether a peer with this IP address may connect. */
export type AddressCheck = (address: string) => boolean;

/** Addresses (`192.0.2.7`, `::1`) and ranges in CIDR notation (`192.0.2.0/24`, `fd00::/8`). */
export interface AddressLists {
  /** Only these may connect; an empty list refuses every peer. Default: all. */
  readonly allow?: readonly string[];
  /** These are refused, even if they are allowed. Default: none. */
  readonly deny?: readonly string[];
}

/**
 * Returns a check of both lists. An IPv4-mapped IPv6 address (`::ffff:192.0.2.7`) counts as its IPv4 address.
 *
 * @throws {RangeError} If a text is neither an address nor a range.
 *
 * @example
 * ```ts
 * import { addressCheck } from "@okline/okline/access";
 * import { assertEquals } from "@std/assert";
 *
 * const mayConnect = addressCheck({ allow: ["10.0.0.0/8", "::1"], deny: ["10.9.9.9"] });
 * assertEquals(["10.1.2.3", "::1", "10.9.9.9", "192.0.2.1"].map(mayConnect), [true, true, false, false]);
 * ```
 */
export function addressCheck(lists: AddressLists): AddressCheck {
  const { allow, deny = [] } = lists;
  const allowed = allow === undefined ? () => true : contains(allow);
  const denied = contains(deny);
  return (address) => allowed(address) && !denied(address);
}

function contains(ranges: readonly string[]): AddressCheck {
  const list = new BlockList();
  for (const range of ranges) add(list, range);
  return (address) => list.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

function add(list: BlockList, range: string): void {
  const [address = "", bits, ...rest] = range.split("/");
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
  if (version === 0 || prefix > longest || rest.length > 0) {
    throw new RangeError(
      `Cannot read ${
        JSON.stringify(range)
      } as a range of addresses: expected one as 192.0.2.7, 192.0.2.0/24 or fd00::/8`,
    );
  }
  list.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
}
