/** Authentication of peers with a token. @module */
import type { Connection } from "../socket/connection.ts";
import type { CloseReason } from "../socket/errors.ts";
import type { Clock } from "../internal/clock.ts";
import { systemClock } from "../socket/tcp.ts";
import { errorLine } from "../protocol.ts";
import type { TokenCheck } from "./token.ts";

/** Options for {@linkcode authenticate}. */
export interface AuthOptions {
  /** Checks a token. */
  readonly isToken: TokenCheck;
  /** Longest time in ms until a valid token arrives. Default: 10,000. */
  readonly timeout?: number;
  /** Number of tokens that a peer may try. Default: 3. */
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
 * Reads the lines of a peer up to one that is `auth TOKEN` with a valid token. Any other line is answered with an error.
 * After the last try, or at the timeout, the connection is closed. A valid token gets no answer, so a peer may send its
 * next lines without waiting.
 *
 * @returns Whether the peer is authenticated. Otherwise, its connection is closed or about to close.
 * @throws {FramingError} If the input cannot be framed.
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
 * Returns whether an error line means that {@linkcode authenticate} has refused the peer. A client with only one token
 * need not retry then.
 *
 * @param reason The text after `error `.
 */
export function isAuthRefusal(reason: string): boolean {
  return reason === WRONG || reason === MISSING || reason.startsWith(DISMISSED);
}
