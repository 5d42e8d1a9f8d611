/** Which requests may pass: rebinding, cross-site requests, methods, and tokens. Pure. @module */
import { type AdminRequest, type AdminResponse, errorResponse } from "./request.ts";

/** The rules for requests. */
export interface GuardOptions {
  /** Whether clients on other machines can reach the admin server. */
  readonly reach: "unix" | "loopback" | "network";
  /** Host names by which clients may address the server, besides IP addresses and `localhost`. */
  readonly hosts: readonly string[];
  /** Checks the token of requests that change something. Default: without a token, only this machine may. */
  readonly isToken?: ((given: string) => boolean) | undefined;
}

/**
 * Returns the response to a request that must not pass, or `undefined` if it may.
 *
 * A page of another site can make a browser send requests here: with its own name in `Host` after DNS rebinding, or as
 * a cross-site request with its own `Origin`. Both are refused, whatever they ask for.
 *
 * @param changes Whether the request asks for a change, which must be a POST, and may need the token.
 */
export function refuseRequest(
  request: AdminRequest,
  changes: boolean,
  options: GuardOptions,
): AdminResponse | undefined {
  const hosts = request.header("host");
  // Every browser sends it; health checks over HTTP/1.0 often do not.
  if (hosts.length > 1 || hosts.some((host) => !isKnownHost(host, options))) {
    return errorResponse(
      421,
      "Cannot serve this Host: expected an IP address of this server, localhost, or a name given by --admin-name",
    );
  }
  if (!isSameSite(request, hosts[0])) return errorResponse(403, "Cannot serve requests of other sites");
  const methods = changes ? ["POST"] : ["GET", "HEAD"];
  if (!methods.includes(request.method)) {
    const allow = methods.join(", ");
    return errorResponse(405, `Cannot use ${quotedMethod(request.method)} here: expected ${allow}`, {
      Allow: allow,
    });
  }
  return changes ? refuseChange(request, options) : undefined;
}

function refuseChange(request: AdminRequest, { reach, isToken }: GuardOptions): AdminResponse | undefined {
  if (isToken === undefined) {
    return reach === "network"
      ? errorResponse(
        403,
        "Cannot change anything over the network without a token: start with --admin-token",
      )
      : undefined;
  }
  const [given = "", ...others] = request.header("authorization");
  const token = others.length === 0 ? /^Bearer (.+)$/i.exec(given)?.[1] : undefined;
  if (token !== undefined && isToken(token)) return undefined;
  const why = token === undefined ? "expected Authorization: Bearer TOKEN" : "wrong token";
  return errorResponse(401, `Cannot authorize the request: ${why}`, { "WWW-Authenticate": "Bearer" });
}

const HOST = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

function isKnownHost(header: string, { reach, hosts }: GuardOptions): boolean {
  // No browser reaches a Unix socket, and clients put anything here.
  if (reach === "unix") return true;
  const host = HOST.exec(header.toLowerCase())?.[1];
  if (host === undefined) return false;
  if (host === "localhost" || hosts.some((known) => known.toLowerCase() === host)) return true;
  // Rebinding needs a name: with an address in `Host`, the browser has connected to that address on purpose.
  const isAddress = IPV4.test(host) || host.startsWith("[");
  return reach === "network" ? isAddress : host === "[::1]" || IPV4.test(host) && host.startsWith("127.");
}

function isSameSite(request: AdminRequest, host: string | undefined): boolean {
  const origins = request.header("origin");
  // A proxy in front may have taken off TLS.
  if (
    !origins.every((origin) =>
      host !== undefined && [`http://${host}`, `https://${host}`].includes(origin.toLowerCase())
    )
  ) {
    return false;
  }
  const [site] = request.header("sec-fetch-site");
  if (site === undefined || site === "same-origin" || site === "none") return true;
  // A link on another site may open the page, which shows nothing to that site.
  return request.method === "GET" && request.header("sec-fetch-mode")[0] === "navigate";
}

function quotedMethod(method: string): string {
  return /^[A-Z]{1,20}$/.test(method) ? method : "this method";
}
