/** A chat room for telnet and the like. @module */
import { errorLine } from "../../protocol.ts";
import { authenticate } from "../../access/authenticate.ts";
import type { Connection } from "../../socket/connection.ts";
import { FramingError } from "../../socket/errors.ts";
import { type LineListenOptions, listen, type ListenerStats } from "../../socket/listener.ts";
import type { Accounts } from "./accounts.ts";
import { ChatRoom } from "./chat_room.ts";
import type { Draining } from "../draining.ts";
import {
  authOptions,
  farewellLine,
  ListenerService,
  type PeerAuth,
  type ServiceOptions,
} from "../service.ts";

/** Options of {@linkcode startChat}. */
export interface ChatOptions extends ServiceOptions, Pick<LineListenOptions, "maxLine"> {
  /** Names that only who knows their password may take. Default none. */
  accounts?: Accounts;
  /** What a peer must show before it is in the room. Default: nothing. */
  auth?: PeerAuth;
}

/** What a chat service counts. */
export interface ChatStats extends ListenerStats {
  /** Who is in the room, sorted. */
  readonly names: readonly string[];
}

// Nobody talks in longer lines, and each goes to everybody.
const MAX_LINE = 4096;

/**
 * Starts a chat room; what it understands is told by `/help`, and in {@linkcode ChatRoom}.
 *
 * @returns The service, listening.
 * @throws As {@linkcode listen} does.
 *
 * @example
 * ```ts
 * import { startChat } from "@okline/okline/services";
 * import { connect } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startChat();
 * await using client = await connect({ port: server.port });
 * client.send("ann");
 * const lines = client.lines();
 * assertEquals((await lines.next()).value, "-- Welcome. What is your name?");
 * assertEquals((await lines.next()).value, "-- Hello ann. 0 others are here; /help lists commands");
 * ```
 */
export function startChat(options: ChatOptions = {}): ListenerService<string, ChatStats> {
  const { accounts } = options;
  const room = new ChatRoom<Connection>({
    send: (peer, line) => peer.send(line),
    dismiss: (peer, why) => void peer.close({ type: "local", why }),
  }, accounts ? { isRegistered: (name) => accounts.has(name) } : {});

  const hear = async (peer: Connection): Promise<void> => {
    for await (const line of peer.lines()) {
      const attempt = room.line(peer, line);
      // Each guess costs the server a key derivation, so a peer makes one at a time: its next line waits.
      if (attempt) room.loggedIn(peer, attempt.name, await accounts?.verify(attempt) ?? false);
    }
  };
  const auth = options.auth && authOptions(options.auth, options);
  const handler = async (peer: Connection, draining: Draining): Promise<void> => {
    using _ = draining.whenBegun(() => {
      peer.send("-- The server is closing");
      void peer.close({ type: "local", why: "drained" });
    });
    try {
      if (auth !== undefined && !await authenticate(peer, auth)) return;
      room.join(peer);
      await hear(peer);
    } catch (error) {
      if (error instanceof FramingError) peer.send(errorLine(error.message));
      throw error;
    } finally {
      room.leave(peer);
    }
  };
  const listener = listen({ maxLine: MAX_LINE, ...options, refusal: errorLine, farewell: farewellLine });
  return new ListenerService(listener, handler, {
    ...options,
    stats: (stats) => ({ ...stats, names: room.names }),
  });
}
