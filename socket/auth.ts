/** Peers that must show a token before anything else. @module */
import type { Connection } from "./connection.ts";
import type { CloseReason } from "./errors.ts";
import type { Clock } from "./network.ts";
import { systemClock } from "./system.ts";
import type { TokenCheck } from "./token.ts";

/** How peers are let in. */
export interface AuthOptions {
  readonly isToken: TokenCheck;
  /** Longest time in ms until the token has been shown. Default 10,000. */
  readonly timeout?: number;
  /** How many tokens a peer may try. Default 3. */
  readonly tries?: number;
  /** Makes the line that tells a peer what was wrong. Default: `error REASON`. */
  readonly errorLine?: (reason: string) => string;
  readonly clock?: Clock;
}

const TIMEOUT = 10_000;
const TRIES = 3;
const AUTH = "auth ";

/**
 * Reads a peer's lines until one is `auth TOKEN` with the right token. A wrong one, or a line that is something else, is
 * answered by an error; after the last try, or too late, the connection is dismissed. A right one is answered by nothing, so a peer may send on without waiting.
 *
 * @returns The lines that came behind it, the first that count; or `undefined` when the peer is not let in.
 * @throws {FramingError} As reading does.
 */
export async function authenticate(
  connection: Connection,
  options: AuthOptions,
): Promise<readonly string[] | undefined> {
  const { timeout = TIMEOUT, tries = TRIES, clock = systemClock, errorLine = (why) => `error ${why}` } =
    options;
  const late: CloseReason = { type: "timeout", which: "auth", ms: timeout };
  const timer = clock.after(timeout, () => void connection.dismiss(late));
  let left = tries;
  try {
    for await (const lines of connection.batches()) {
      for (const [index, line] of lines.entries()) {
        const isAuth = line.startsWith(AUTH);
        if (isAuth && options.isToken(line.slice(AUTH.length))) return lines.slice(index + 1);
        const why = isAuth ? "wrong token" : "expected auth TOKEN as the first line";
        if (--left === 0) {
          await connection.dismiss({ type: "unauthorized", why });
          return undefined;
        }
        connection.send(errorLine(why));
      }
    }
    return undefined;
  } finally {
    timer.cancel();
  }
}
