/** A chat room over lines, for telnet and similar clients. @module */
import { errorLine } from "../../protocol.ts";
import { authenticate } from "../../access/authenticate.ts";
import { sleep } from "../../internal/sleep.ts";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, DRAINED } from "../../socket/errors.ts";
import type { LineListenLimits } from "../../socket/listener/options.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import { RateLimit } from "../../socket/listener/rate_limit.ts";
import { systemClock } from "../../socket/tcp.ts";
import type { Accounts } from "./accounts.ts";
import { Audience } from "./audience.ts";
import { ChatRoom } from "./chat_room.ts";
import { LineInput } from "./line_input.ts";
import { type LoginAttempt, LoginQueue } from "./login_queue.ts";
import { skeletonsOf } from "./skeletons.ts";
import { telnetCodec, type TelnetFrame } from "./telnet.ts";
import { UntilGone } from "./until_gone.ts";
import type { Draining } from "../draining.ts";
import { farewellLine, ListenerService, type ServiceAccess, type ServiceOptions } from "../service.ts";

/** Limits of a chat service. */
export interface ChatLimits extends LineListenLimits {
  /** Limit of lines per second from one client. A client that sends more is read from more slowly. 0 disables. Default 0. */
  messageRate?: number;
}

/** Options for {@linkcode startChat}. */
export interface ChatOptions extends ServiceOptions {
  /** Limits of the listener and of each client. The longest line has 4 KiB by default. */
  limits?: ChatLimits;
  /** Decides which clients may enter the room. */
  access?: ServiceAccess;
  /** Names that require a password. Default: none. */
  accounts?: Pick<Accounts, "has" | "lookAlike" | "verify">;
}

/** Metrics of a chat service. */
export interface ChatStats extends ListenerStats {
  /** Names of the members, sorted. */
  readonly names: readonly string[];
  /** Logins that wait for their turn. */
  readonly queuedLogins: number;
}

// People write no longer lines, and each goes to all members.
const MAX_LINE = 4096;
const HIGH_WATER = 64 * 1024;
// A listener that reads at all takes 64 KiB in this time. One that does not read delays the room once, by this time.
const PATIENCE = 5000;
// Makes guessing slow, also for a client that is alone.
const WRONG_PASSWORD_DELAY = 1000;

/** A connected client. */
interface Guest {
  readonly connection: Connection<TelnetFrame>;
  readonly input: LineInput;
}

/**
 * Starts a chat room. `/help` lists its commands; see {@linkcode ChatRoom}.
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
 * const lines = client[Symbol.asyncIterator]();
 * assertEquals((await lines.next()).value, "-- Welcome. What is your name?");
 * assertEquals((await lines.next()).value, "-- Hello ann. 0 others are here; /help lists commands");
 * ```
 */
export function startChat(options: ChatOptions = {}): ListenerService<string | Uint8Array, ChatStats> {
  const { maxLine = MAX_LINE, highWater = HIGH_WATER } = options.limits ?? {};
  const hall = new Hall(options, highWater);
  const listener = listen<TelnetFrame>({
    ...options,
    limits: { ...options.limits, highWater },
    codec: telnetCodec({ maxLine }),
    refusal: errorLine,
    farewell,
  });
  return new ListenerService(listener, (connection, draining) => hall.serve(connection, draining), {
    ...options,
    stats: (stats) => ({ ...stats, names: hall.names, queuedLogins: hall.queuedLogins }),
  });
}

function farewell(reason: CloseReason): string | undefined {
  return reason === DRAINED ? "-- The server is closing" : farewellLine(reason);
}

/** The room with its connections. */
class Hall {
  readonly #options: ChatOptions;
  readonly #clock;
  readonly #room: ChatRoom<Guest>;
  readonly #audience: Audience;
  readonly #logins: LoginQueue;

  constructor(options: ChatOptions, highWater: number) {
    const { accounts, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#audience = new Audience({ clock, highWater, patience: PATIENCE });
    this.#logins = new LoginQueue((attempt) => accounts?.verify(attempt) ?? Promise.resolve(false));
    this.#room = new ChatRoom<Guest>({
      send: ({ connection }, line) => this.#audience.send(connection, line),
      dismiss: ({ connection, input }, why) => {
        input.stop();
        void connection.close({ type: "local", why });
      },
    }, {
      skeletons: skeletonsOf,
      ...(accounts && {
        isRegistered: (name) => accounts.has(name),
        accountLike: (name) => accounts.lookAlike(name),
      }),
    });
  }

  get names(): readonly string[] {
    return this.#room.names;
  }

  get queuedLogins(): number {
    return this.#logins.queued;
  }

  async serve(
    connection: Connection<TelnetFrame>,
    draining: Draining<Connection<TelnetFrame>>,
  ): Promise<void> {
    const guest: Guest = { connection, input: new LineInput(connection) };
    using _ = draining.whenBegun(connection, () => {
      guest.input.stop();
      void connection.close(DRAINED);
    });
    try {
      if (!await this.#authenticate(guest)) return;
      this.#room.join(guest);
      await this.#listenTo(guest);
    } finally {
      this.#room.leave(guest);
    }
  }

  async #authenticate({ connection, input }: Guest): Promise<boolean> {
    const auth = this.#options.access?.auth;
    if (auth === undefined) return true;
    return await authenticate<string>({
      [Symbol.asyncIterator]: () => input.frames(),
      send: (line) => connection.send(line),
      close: (why) => connection.close(why),
    }, { ...auth, clock: this.#clock });
  }

  async #listenTo(guest: Guest): Promise<void> {
    const { messageRate = 0 } = this.#options.limits ?? {};
    const limit = messageRate > 0 ? new RateLimit(messageRate) : undefined;
    const present = new UntilGone(guest.connection.closed);
    for (let line; (line = await guest.input.next()) !== undefined;) {
      const attempt = this.#room.line(guest, line);
      if (attempt && !await this.#logIn(guest, attempt)) return;
      const caughtUp = this.#audience.caughtUp();
      // A speaker that has left waits for no listener.
      if (caughtUp) await present.wait(caughtUp);
      const pause = limit?.take(this.#clock.now()) ?? 0;
      if (pause > 0) await guest.input.whileHere((left) => sleep(pause, this.#clock, left));
    }
  }

  /** Returns whether the client is still here. */
  async #logIn(guest: Guest, attempt: LoginAttempt): Promise<boolean> {
    const { connection, input } = guest;
    const address = connection.remote.hostname;
    const result = await input.whileHere(async (signal) => {
      const finished = () => connection.peerEnded;
      const result = await this.#logins.login(attempt, { address, signal, finished });
      if (result === "wrong") await sleep(WRONG_PASSWORD_DELAY, this.#clock, signal);
      return result;
    });
    if (result === undefined || result === "left") return false;
    if (result === "busy") this.#room.refuse(guest, "Too many logins are waiting: try again");
    else this.#room.loggedIn(guest, attempt.name, result === "right");
    return true;
  }
}
