/** IP addresses as text and as bytes. Pure. @module */

/** Parses an IPv4 address of four decimal numbers; `undefined` for anything else. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

/** Formats four bytes at `at` as an IPv4 address. */
export function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** Parses an IPv6 address without a scope; `undefined` for anything else. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!text.includes(":") || !/^[0-9A-Fa-f:.]+$/.test(text) || !URL.canParse(`http://[${text}]/`)) {
    return undefined;
  }
  // The URL parser takes every spelling, and gives one: groups in hexadecimal with at most one `::`.
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  const bytes = new Uint8Array(16);
  for (const [index, group] of all.entries()) {
    bytes[2 * index] = group >> 8;
    bytes[2 * index + 1] = group & 0xff;
  }
  return bytes;
}

/**
 * Formats 16 bytes at `at` as RFC 5952 recommends: lower case, the longest run of zero groups as `::`, and an
 * IPv4-mapped address with its last four bytes in decimal.
 */
export function formatIpv6(bytes: Uint8Array, at: number): string {
  const all = Array.from(
    { length: 8 },
    (_, index) => bytes[at + 2 * index]! << 8 | bytes[at + 2 * index + 1]!,
  );
  if (all.slice(0, 5).every((group) => group === 0) && all[5] === 0xffff) {
    return `::ffff:${formatIpv4(bytes, at + 12)}`;
  }
  const run = longestRunOfZeros(all);
  if (run.length < 2) return hexadecimal(all);
  return `${hexadecimal(all.slice(0, run.start))}::${hexadecimal(all.slice(run.start + run.length))}`;
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

function hexadecimal(all: readonly number[]): string {
  return all.map((group) => group.toString(16)).join(":");
}

function longestRunOfZeros(all: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < all.length; start++) {
    let length = 0;
    while (all[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
