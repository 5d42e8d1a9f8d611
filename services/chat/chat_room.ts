/** A chat room: who is in it, and who is told what. Pure. @module */
import { errorLine } from "../../protocol.ts";
import { plural } from "../../internal/plural.ts";
import { foldName, isName, NAME_RULE, sanitize } from "./text.ts";

/** Where a room's lines go. */
export interface RoomOutput<Peer> {
  send(peer: Peer, line: string): void;
  /** The peer is to be closed once it has what was sent. */
  dismiss(peer: Peer, why: string): void;
}

/** What a room may be told. */
export interface ChatRoomOptions {
  /** Whether a name belongs to an account, so that only `/login` may take it. Default: none does. */
  readonly isRegistered?: (name: string) => boolean;
}

/** A password to be verified; the answer goes to {@linkcode ChatRoom.loggedIn}. */
export interface LoginAttempt {
  readonly name: string;
  readonly password: string;
}

interface Member {
  /** Undefined until it has a name; until then it hears nothing. */
  name: string | undefined;
  failedLogins: number;
}

const MAX_FAILED_LOGINS = 3;
/** Names on a line of `/who`. */
const NAMES_PER_LINE = 40;
const OTHERS = { one: "other is", many: "others are" };
const HELP = [
  "-- /msg NAME TEXT  to one alone",
  "-- /me TEXT        what you do",
  "-- /who            who is here",
  "-- /login NAME PASSWORD  enter by your account",
  "-- /quit           leave",
  "-- /help           this",
];

/**
 * A room that peers talk in by lines. The first line of a peer is its name; a line that starts with `/` is a command,
 * one that starts with `//` is text that starts with `/`; every other line goes to all but its speaker. What the room
 * itself says starts with `-- `, what it refuses with `error `.
 */
export class ChatRoom<Peer> {
  readonly #output: RoomOutput<Peer>;
  readonly #isRegistered: (name: string) => boolean;
  readonly #members = new Map<Peer, Member>();
  /** By folded name. */
  readonly #named = new Map<string, { readonly peer: Peer; readonly name: string }>();

  constructor(output: RoomOutput<Peer>, options: ChatRoomOptions = {}) {
    this.#output = output;
    this.#isRegistered = options.isRegistered ?? (() => false);
  }

  /** Names in use, sorted. */
  get names(): readonly string[] {
    return [...this.#named.values()].map(({ name }) => name).sort();
  }

  /** Peers, those without a name included. */
  get size(): number {
    return this.#members.size;
  }

  /** A peer has come; it is asked for its name. */
  join(peer: Peer): void {
    this.#members.set(peer, { name: undefined, failedLogins: 0 });
    this.#tell(peer, "-- Welcome. What is your name?");
  }

  /** A peer has gone, for whatever reason; does nothing if it had left already. */
  leave(peer: Peer): void {
    const name = this.#members.get(peer)?.name;
    this.#members.delete(peer);
    if (name === undefined) return;
    this.#named.delete(foldName(name));
    this.#broadcast(peer, `-- ${name} left`);
  }

  /**
   * A line of a peer. Does nothing for a peer that is not in the room.
   *
   * @returns A password to verify, if that is what the line asks for; the peer's next line has to wait for it.
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

  /** The answer to a {@linkcode LoginAttempt}. The third wrong one ends the connection. */
  loggedIn(peer: Peer, name: string, verified: boolean): void {
    const member = this.#members.get(peer);
    if (!member) return;
    if (verified) {
      this.#enter(peer, member, name, true);
      return;
    }
    this.#refuse(peer, "Name or password is wrong");
    if (++member.failedLogins >= MAX_FAILED_LOGINS) this.#output.dismiss(peer, "login failed");
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
        if (member.name === undefined) this.#refuse(peer, `Say your name before ${command}`);
        else this.#speak(peer, member.name, command, rest);
        return undefined;
      default:
        this.#refuse(peer, `Unknown command: ${command}: /help lists them`);
        return undefined;
    }
  }

  #speak(peer: Peer, name: string, command: "/msg" | "/me" | "/who", rest: string): void {
    if (command === "/who") this.#who(peer);
    else if (command === "/msg") this.#whisper(peer, name, rest);
    else if (rest === "") this.#refuse(peer, "What do you do: /me TEXT");
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
    const target = this.#named.get(foldName(name));
    if (name === "" || text === "") this.#refuse(peer, "To whom, and what: /msg NAME TEXT");
    else if (!target) this.#refuse(peer, `Nobody here is called ${name}`);
    else {
      this.#tell(target.peer, `[${from} to you] ${text}`);
      this.#tell(peer, `[you to ${target.name}] ${text}`);
    }
  }

  #login(peer: Peer, member: Member, name: string, password: string): LoginAttempt | undefined {
    if (member.name !== undefined) this.#refuse(peer, `You are ${member.name} already`);
    else if (name === "" || password === "") this.#refuse(peer, "By which account: /login NAME PASSWORD");
    else return { name, password };
    return undefined;
  }

  #enter(peer: Peer, member: Member, name: string, verified: boolean): void {
    if (!isName(name)) this.#refuse(peer, `Name is refused: ${NAME_RULE}`);
    else if (this.#named.has(foldName(name))) this.#refuse(peer, `Name is taken: ${name}`);
    else if (!verified && this.#isRegistered(name)) {
      this.#refuse(peer, `Name belongs to an account: /login ${name} PASSWORD`);
    } else {
      member.name = name;
      this.#named.set(foldName(name), { peer, name });
      const others = this.#named.size - 1;
      this.#tell(peer, `-- Hello ${name}. ${plural(others, OTHERS)} here; /help lists commands`);
      this.#broadcast(peer, `-- ${name} joined`);
    }
  }

  #tell(peer: Peer, line: string): void {
    this.#output.send(peer, line);
  }

  #refuse(peer: Peer, why: string): void {
    this.#output.send(peer, errorLine(why));
  }

  /** To everybody with a name but `speaker`. */
  #broadcast(speaker: Peer, line: string): void {
    for (const { peer } of this.#named.values()) {
      if (peer !== speaker) this.#output.send(peer, line);
    }
  }
}
