/** Requests to an admin server, with any header and over any kind of socket. @module */
import { request } from "node:http";
import { type Address, unixPath } from "../../../socket/network.ts";

/** An answer of an admin server. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Sends one request on a new connection. Unlike `fetch`, it allows any header. */
export function askAdmin(
  address: Address,
  target: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<AdminAnswer> {
  const path = unixPath(address.hostname);
  return new Promise((resolve, reject) => {
    const sent = request({
      ...(path === undefined ? { host: address.hostname, port: address.port } : { socketPath: path }),
      path: target,
      method,
      headers,
      agent: false,
    }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => text += piece);
      response.on(
        "end",
        () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}
