/** A chat room: its members, its commands, and the lines that each member receives. Pure. @module */
import { errorLine } from "../../protocol.ts";
import { plural } from "../../internal/plural.ts";
import type { LoginAttempt } from "./login_queue.ts";
import { isName, NAME_RULE, normalizeName } from "./name.ts";
import { NameMap, type Skeletons } from "./name_map.ts";
import { sanitize } from "./text.ts";

/** Output of a room. */
export interface RoomOutput<Peer> {
  send(peer: Peer, line: string): void;
  /** Closes the peer once it has received what was sent. */
  dismiss(peer: Peer, why: string): void;
}

/** Options for {@linkcode ChatRoom}. */
export interface ChatRoomOptions {
  /** Whether a name belongs to an account, so that it takes a `/login`. Default: no name does. */
  readonly isRegistered?: (name: string) => boolean;
  /** Returns a different name of an account that people may take for this one. Default: `undefined`. */
  readonly accountLike?: (name: string) => string | undefined;
  /** Forms of names in use that must differ. Default: names may look alike. */
  readonly skeletons?: Skeletons;
}

interface Member {
  /** Undefined until the member has a name. It receives no lines of others before. */
  name: string | undefined;
  failedLogins: number;
}

const MAX_FAILED_LOGINS = 3;
/** Number of names on a line of `/who`. */
const NAMES_PER_LINE = 40;
const OTHERS = { one: "other is", many: "others are" };
const HELP = [
  "-- /msg NAME TEXT  Send a private message",
  "-- /me TEXT        Say what you do",
  "-- /who            List the members",
  "-- /login NAME PASSWORD  Log in to your account",
  "-- /quit           Leave",
  "-- /help           List the commands",
];

/**
 * A room whose members talk by lines. The first line of a peer is its name. A line that starts with `/` is a command, one
 * that starts with `//` is text that starts with `/`, and every other line goes to all members except the speaker. Lines of
 * the room itself start with `-- `, errors with `error `.
 */
export class ChatRoom<Peer> {
  readonly #output: RoomOutput<Peer>;
  readonly #options: ChatRoomOptions;
  readonly #members = new Map<Peer, Member>();
  readonly #named: NameMap<{ readonly peer: Peer; readonly name: string }>;

  constructor(output: RoomOutput<Peer>, options: ChatRoomOptions = {}) {
    this.#output = output;
    this.#options = options;
    this.#named = new NameMap(options.skeletons ?? (() => []));
  }

  /** Names in use, sorted. */
  get names(): readonly string[] {
    return this.#named.names().sort();
  }

  /** Number of peers, including those without a name. */
  get size(): number {
    return this.#members.size;
  }

  /** Adds a peer, and asks for its name. */
  join(peer: Peer): void {
    this.#members.set(peer, { name: undefined, failedLogins: 0 });
    this.#tell(peer, "-- Welcome. What is your name?");
  }

  /** Removes a peer, and announces it. Does nothing if the peer has left already. */
  leave(peer: Peer): void {
    const name = this.#members.get(peer)?.name;
    this.#members.delete(peer);
    if (name === undefined) return;
    this.#named.delete(name);
    this.#broadcast(peer, `-- ${name} left`);
  }

  /**
   * Processes a line of a peer. Does nothing if the peer is not in the room.
   *
   * @returns A password to check if the line is a `/login`. The peer's next line must wait for the result, which goes to
   * {@linkcode ChatRoom.loggedIn} or {@linkcode ChatRoom.refuse}.
   */
  line(peer: Peer, line: string): LoginAttempt | undefined {
    const member = this.#members.get(peer);
    if (!member) return undefined;
    const text = sanitize(line).trim();
    if (text.startsWith("/") && !text.startsWith("//")) return this.#command(peer, member, text);
    const said = text.startsWith("//") ? text.slice(1) : text;
    if (member.name === undefined) this.#enter(peer, member, said, false);
    else if (said !== "") this.#broadcast(peer, `${member.name}: ${said}`);
    return undefined;
  }

  /** Answers a {@linkcode LoginAttempt}. The third wrong password ends the connection. */
  loggedIn(peer: Peer, name: string, verified: boolean): void {
    const member = this.#members.get(peer);
    if (!member) return;
    if (verified) {
      this.#enter(peer, member, name, true);
      return;
    }
    this.refuse(peer, "Name or password is wrong");
    if (++member.failedLogins >= MAX_FAILED_LOGINS) this.#output.dismiss(peer, "login failed");
  }

  /** Sends an error to a peer. */
  refuse(peer: Peer, why: string): void {
    this.#output.send(peer, errorLine(why));
  }

  #command(peer: Peer, member: Member, text: string): LoginAttempt | undefined {
    const [command = "", first = ""] = text.split(/\s+/, 2);
    const rest = text.slice(command.length).trim();
    switch (command) {
      case "/help":
        for (const line of HELP) this.#tell(peer, line);
        return undefined;
      case "/quit":
        this.#tell(peer, "-- Bye");
        this.leave(peer);
        this.#output.dismiss(peer, "quit");
        return undefined;
      case "/login":
        return this.#login(peer, member, first, rest.slice(first.length).trim());
      case "/msg":
      case "/me":
      case "/who":
        if (member.name === undefined) this.refuse(peer, `Enter your name before ${command}`);
        else this.#speak(peer, member.name, command, rest);
        return undefined;
      default:
        this.refuse(peer, `Unknown command: ${command}: /help lists them`);
        return undefined;
    }
  }

  #speak(peer: Peer, name: string, command: "/msg" | "/me" | "/who", rest: string): void {
    if (command === "/who") this.#who(peer);
    else if (command === "/msg") this.#whisper(peer, name, rest);
    else if (rest === "") this.refuse(peer, "Text is missing: /me TEXT");
    else this.#broadcast(peer, `* ${name} ${rest}`);
  }

  #who(peer: Peer): void {
    const { names } = this;
    this.#tell(peer, `-- ${names.length} here`);
    for (let at = 0; at < names.length; at += NAMES_PER_LINE) {
      this.#tell(peer, `-- ${names.slice(at, at + NAMES_PER_LINE).join(" ")}`);
    }
  }

  #whisper(peer: Peer, from: string, rest: string): void {
    const [name = ""] = rest.split(/\s+/, 1);
    const text = rest.slice(name.length).trim();
    const target = this.#named.get(name);
    if (name === "" || text === "") this.refuse(peer, "Name or text is missing: /msg NAME TEXT");
    else if (!target) this.refuse(peer, `No member has this name: ${name}`);
    else {
      this.#tell(target.peer, `[${from} to you] ${text}`);
      this.#tell(peer, `[you to ${target.name}] ${text}`);
    }
  }

  #login(peer: Peer, member: Member, name: string, password: string): LoginAttempt | undefined {
    if (member.name !== undefined) this.refuse(peer, `You are ${member.name} already`);
    else if (name === "" || password === "") {
      this.refuse(peer, "Name or password is missing: /login NAME PASSWORD");
    } else return { name, password };
    return undefined;
  }

  #enter(peer: Peer, member: Member, spelling: string, verified: boolean): void {
    const name = normalizeName(spelling);
    const refusal = this.#nameRefusal(name, verified);
    if (refusal !== undefined) {
      this.refuse(peer, refusal);
      return;
    }
    member.name = name;
    this.#named.set(name, { peer, name });
    const others = this.#named.size - 1;
    this.#tell(peer, `-- Hello ${name}. ${plural(others, OTHERS)} here; /help lists commands`);
    this.#broadcast(peer, `-- ${name} joined`);
  }

  #nameRefusal(name: string, verified: boolean): string | undefined {
    const { isRegistered, accountLike } = this.#options;
    if (!isName(name)) return `Name is refused: ${NAME_RULE}`;
    if (this.#named.has(name)) return `Name is taken: ${name}`;
    if (verified) return undefined;
    if (isRegistered?.(name)) return `Name belongs to an account: /login ${name} PASSWORD`;
    const alike = accountLike?.(name) ?? this.#named.lookAlike(name);
    return alike === undefined ? undefined : `Name is taken: ${name} looks like ${alike}`;
  }

  #tell(peer: Peer, line: string): void {
    this.#output.send(peer, line);
  }

  /** Sends a line to all members except the speaker. */
  #broadcast(speaker: Peer, line: string): void {
    for (const { peer } of this.#named.values()) {
      if (peer !== speaker) this.#output.send(peer, line);
    }
  }
}
