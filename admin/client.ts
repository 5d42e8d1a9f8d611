/** Reads the state of a server from its admin server. @module */
import { request } from "node:http";
import { type Address, formatAddress, unixPath } from "../socket/network.ts";

/** A state is a few KiB. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads `/state`.
 *
 * @param timeout Longest wait in ms.
 * @returns The state, or `undefined` if the server cannot be reached, answers otherwise, or takes too long.
 */
export function readState(
  address: Address,
  timeout: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const path = unixPath(address.hostname);
  return new Promise((resolve) => {
    const sent = request({
      ...(path === undefined ? { host: address.hostname, port: address.port } : { socketPath: path }),
      path: "/state",
      // A name would be refused by a server that does not know it; `formatAddress` gives the address as written.
      headers: {
        Host: path === undefined ? formatAddress(address) : "localhost",
        Accept: "application/json",
      },
      agent: false,
      signal: AbortSignal.timeout(timeout),
    }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
        if (text.length > MAX_BYTES) response.destroy();
      });
      response.on("end", () => resolve(response.statusCode === 200 ? parse(text) : undefined));
      response.on("error", () => resolve(undefined));
      response.on("close", () => resolve(undefined));
    });
    sent.on("error", () => resolve(undefined));
    sent.end();
  });
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
