/** Peers that must show a token before anything else. @module */
import type { Connection } from "../socket/connection.ts";
import type { CloseReason } from "../socket/errors.ts";
import type { Clock } from "../internal/clock.ts";
import { systemClock } from "../socket/tcp.ts";
import { errorLine } from "../protocol.ts";
import type { TokenCheck } from "./token.ts";

/** How peers are let in. */
export interface AuthOptions {
  /** Checks a token. */
  readonly isToken: TokenCheck;
  /** Longest time in ms until the token has been shown. Default 10,000. */
  readonly timeout?: number;
  /** How many tokens a peer may try. Default 3. */
  readonly tries?: number;
  /** The clock. Default: the system clock. */
  readonly clock?: Clock;
}

/** The options of {@linkcode authenticate} for a server that has a clock. */
export type PeerAuth = Omit<AuthOptions, "clock">;

const TIMEOUT = 10_000;
const TRIES = 3;
const AUTH = "auth ";
const WRONG = "wrong token";
const MISSING = "expected auth TOKEN as the first line";
const DISMISSED = "unauthorized: ";

/**
 * Reads a peer's lines until one is `auth TOKEN` with the right token, and no further. A wrong one, or a line that is
 * something else, is answered by an error; after the last try, or too late, the connection is closed. A right one is
 * answered by nothing, so a peer may send on without waiting.
 *
 * @returns Whether the peer is let in. Where it is not, the connection is ended, or ends by itself.
 * @throws {FramingError} As reading does.
 */
export async function authenticate<Frame>(
  connection: AsyncIterable<Frame | string> & Pick<Connection<Frame | string>, "send" | "close">,
  options: AuthOptions,
): Promise<boolean> {
  const { timeout = TIMEOUT, tries = TRIES, clock = systemClock } = options;
  const late: CloseReason = { type: "timeout", which: "auth", ms: timeout };
  const timer = clock.after(timeout, () => void connection.close(late));
  let left = tries;
  try {
    for await (const line of connection) {
      const isAuth = typeof line === "string" && line.startsWith(AUTH);
      if (isAuth && options.isToken(line.slice(AUTH.length))) return true;
      const why = isAuth ? WRONG : MISSING;
      if (--left === 0) {
        await connection.close({ type: "unauthorized", why });
        return false;
      }
      connection.send(errorLine(why));
    }
    return false;
  } finally {
    timer.cancel();
  }
}

/**
 * Whether the reason of an error line is that {@linkcode authenticate} did not let the peer in. A peer that has only one token to
 * show, or none, need not try again.
 *
 * @param reason What came after `error `.
 */
export function isAuthRefusal(reason: string): boolean {
  return reason === WRONG || reason === MISSING || reason.startsWith(DISMISSED);
}
