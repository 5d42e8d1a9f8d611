/** Reads from the admin server of a server. @module */
import { request } from "node:http";
import { sortConnectError } from "../socket/connect.ts";
import { type Address, formatAddress, unixPath } from "../socket/network.ts";

/** The longest answer, for 10,000 connections, is about 3 MiB. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An answer of an admin server. */
export interface AdminAnswer {
  readonly status: number;
  readonly value: JsonObject;
}

/**
 * Reads JSON from an admin server.
 *
 * @param target Path and query, such as `/connections?limit=10`.
 * @param timeout Longest wait in ms.
 * @throws {Error} Why there is no answer, such as `refused`: the server cannot be reached, does not answer with a JSON object, or
 * takes too long.
 */
export function readAdmin(address: Address, target: string, timeout: number): Promise<AdminAnswer> {
  const path = unixPath(address.hostname);
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => reject(new Error(reasonOf(cause, timeout), { cause }));
    const sent = request({
      ...(path === undefined ? { host: address.hostname, port: address.port } : { socketPath: path }),
      path: target,
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
      response.on("end", () => {
        const value = parse(text);
        if (value === undefined) reject(new Error(OTHER_SERVER));
        else resolve({ status: response.statusCode ?? 0, value });
      });
      response.on("error", failed);
      response.on("close", () => reject(new Error("the answer was cut off")));
    });
    sent.on("error", failed);
    sent.end();
  });
}

const OTHER_SERVER = "expected the admin server of okline";

function reasonOf(cause: Error, timeout: number): string {
  // The error codes of Node's HTTP parser.
  if (String(Reflect.get(cause, "code")).startsWith("HPE_")) return OTHER_SERVER;
  if (cause.name === "AbortError" || cause.name === "TimeoutError") return `no answer within ${timeout} ms`;
  const code = sortConnectError(cause);
  return code === "other" ? cause.message : code;
}

/**
 * Reads `/state`.
 *
 * @param timeout Longest wait in ms.
 * @returns The state, or `undefined` when {@linkcode readAdmin} throws, and for any other status than 200.
 */
export async function readState(address: Address, timeout: number): Promise<JsonObject | undefined> {
  const answer = await readAdmin(address, "/state", timeout).catch(() => undefined);
  return answer?.status === 200 ? answer.value : undefined;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
