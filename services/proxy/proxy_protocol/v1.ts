/** Version 1 of the PROXY protocol: a line of text. @module */
import ipaddr from "ipaddr.js";
import type { Address } from "../../../socket/network.ts";
import { type ProxiedEnds, type ProxyHeader, ProxyProtocolError } from "./header.ts";

/** Length of the longest line in bytes, including its CRLF (specification, 2.1). */
export const MAX_TEXT_HEADER = 107;

const PORT = /^(?:0|[1-9]\d{0,4})$/;

/**
 * Parses the line, without its CRLF.
 *
 * @throws {ProxyProtocolError} If the line is malformed.
 */
export function parseTextHeader(line: string): ProxyHeader {
  const parts = line.split(" ");
  const [signature, protocol, source, destination, sourcePort, destinationPort] = parts;
  if (signature !== "PROXY") throw new ProxyProtocolError("Header does not start with PROXY");
  // The specification requires that the rest of the line is ignored.
  if (protocol === "UNKNOWN") return { version: 1, ends: undefined, extensions: [] };
  if (protocol !== "TCP4" && protocol !== "TCP6") {
    throw new ProxyProtocolError("Header's protocol is not TCP4, TCP6, or UNKNOWN");
  }
  if (parts.length !== 6) throw new ProxyProtocolError("Header does not have two addresses and two ports");
  return {
    version: 1,
    ends: {
      source: parseEnd(protocol, source, sourcePort),
      destination: parseEnd(protocol, destination, destinationPort),
    },
    extensions: [],
  };
}

function parseEnd(protocol: "TCP4" | "TCP6", hostname = "", port = ""): Address {
  const valid = protocol === "TCP4"
    // Four decimals without leading zeros, which some parsers read as octal.
    ? ipaddr.IPv4.isValidFourPartDecimal(hostname)
    : ipaddr.IPv6.isValid(hostname) && !hostname.includes("%");
  if (!valid) throw new ProxyProtocolError(`Header's address is not one of ${protocol}`);
  if (!PORT.test(port) || Number(port) > 0xffff) {
    throw new ProxyProtocolError("Header's port is not 0 to 65535");
  }
  return { hostname: ipaddr.parse(hostname).toString(), port: Number(port) };
}

/** Returns the line; `UNKNOWN` without addresses. */
export function formatTextHeader(ends: ProxiedEnds | undefined): Uint8Array {
  return new TextEncoder().encode(`PROXY ${ends === undefined ? "UNKNOWN" : describeEnds(ends)}\r\n`);
}

function describeEnds({ source, destination }: ProxiedEnds): string {
  const addresses = [ipaddr.parse(source.hostname), ipaddr.parse(destination.hostname)];
  const family = addresses.every((address) => address.kind() === "ipv4") ? "TCP4" : "TCP6";
  const [from, to] = addresses.map((address) =>
    family === "TCP6" && address instanceof ipaddr.IPv4 ? address.toIPv4MappedAddress() : address
  );
  return `${family} ${from} ${to} ${source.port} ${destination.port}`;
}
