/** The admin server: health, metrics, connections, control, and a page. @module */
import { tokenCheck } from "../access/token.ts";
import { type Address, unixPath } from "../socket/network.ts";
import { type HttpLimits, HttpListener } from "./http_listener.ts";
import type { GuardOptions } from "./guard.ts";
import { Routes } from "./routes.ts";
import type { AdminTarget } from "./target.ts";

/** Options for {@linkcode startAdmin}. */
export interface AdminOptions {
  /** Address to listen on: an IP address and a port, or a Unix socket. Port 0 picks a free one. */
  readonly address: Address;
  readonly target: AdminTarget;
  /** Needed for everything that changes something, if given. Without one, only clients on this machine can change anything. */
  readonly token?: string | undefined;
  /** Host names by which clients may address the server, besides its addresses. Default: none. */
  readonly hosts?: readonly string[];
  /** Receives errors of the admin server itself. */
  readonly onError: (error: Error) => void;
  /** Called for each change that a client made, such as `suspend`. Default: nothing. */
  readonly onAction?: (action: string) => void;
  readonly limits?: Partial<HttpLimits>;
}

/** A running admin server. */
export interface AdminServer extends AsyncDisposable {
  readonly address: Address;
  /** Lets responses in progress finish for up to 2 s, then closes every connection. */
  close(): Promise<void>;
}

/**
 * Starts an admin server.
 *
 * @throws {Error} With a `code` such as `EADDRINUSE` if the address cannot be bound.
 * @throws {RangeError} If the token cannot be used; see `tokenCheck` of `access/`.
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { address, target, token, hosts = [], onError, onAction = () => {}, limits = {} } = options;
  const ended = new AbortController();
  const guard: GuardOptions = {
    reach: reachOf(address.hostname),
    hosts,
    isToken: token === undefined ? undefined : tokenCheck(token),
  };
  const routes = new Routes({ target, guard, onAction, ended: ended.signal });
  const listener = await HttpListener.start({
    address,
    handle: (request) => routes.handle(request),
    onError,
    limits,
  });
  const close = async (): Promise<void> => {
    ended.abort();
    await listener.close();
  };
  return { address: listener.address, close, [Symbol.asyncDispose]: close };
}

function reachOf(hostname: string): GuardOptions["reach"] {
  if (unixPath(hostname) !== undefined) return "unix";
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname)
    ? "loopback"
    : "network";
}
