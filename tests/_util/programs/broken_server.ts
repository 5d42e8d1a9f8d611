/** Line servers on plain sockets, each with one flaw. */

/** Flaws of a server. A server without flaws passes the whole torture suite. */
export interface Flaw {
  /** Handles input; throws to end the server. Default: splits it into lines in order. */
  readonly read?: (session: Session, bytes: Uint8Array) => Promise<void> | void;
  /** Serves one connection. An error affects only this connection. Default: {@linkcode Session.serve}. */
  readonly serve?: (session: Session) => Promise<void>;
}

/** The longest line that these servers accept, in bytes. */
export const LIMIT = 1024;

/** One connection. */
export class Session {
  readonly socket: Deno.TcpConn;
  /** The rest of the last line, one character per byte. */
  rest = "";
  readonly #server: BrokenServer;

  constructor(socket: Deno.TcpConn, server: BrokenServer) {
    this.socket = socket;
    this.#server = server;
  }

  /** Answers each line up to the end, then closes. */
  async serve(): Promise<void> {
    if (this.#server.flaw.serve === undefined) await this.readAll();
    else await this.#server.flaw.serve(this);
  }

  async readAll(): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    for (let count = await this.socket.read(buffer); count !== null; count = await this.socket.read(buffer)) {
      const bytes = buffer.slice(0, count);
      if (this.#server.flaw.read === undefined) await this.take(String.fromCharCode(...bytes));
      else await this.#server.flaw.read(this, bytes);
    }
  }

  /** Adds text, and answers the lines that it completes. */
  async take(text: string, limit = LIMIT): Promise<void> {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    const length = (line: string) => line.endsWith("\r") ? line.length - 1 : line.length;
    const answers = [];
    for (const line of lines) {
      if (length(line) > limit) throw new RangeError("line too long");
      answers.push(`${length(line)} ${line.slice(0, length(line))}\n`);
    }
    if (answers.length > 0) await this.say(answers.join(""));
    if (length(this.rest) > limit) throw new RangeError("line too long");
  }

  /** Writes text with one byte per character. */
  async say(text: string): Promise<void> {
    let left = Uint8Array.from(text, (character) => character.charCodeAt(0));
    while (left.length > 0) left = left.subarray(await this.socket.write(left));
  }

  /** Ends the whole server. */
  crash(): never {
    this.#server.close();
    throw new Error("crashed");
  }

  close(): void {
    try {
      this.socket.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // Closed with the server.
    }
  }
}

/** A server with a flaw. Disposing of it closes everything. */
export class BrokenServer implements AsyncDisposable {
  readonly flaw: Flaw;
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #sessions = new Set<Session>();
  readonly #served = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #closed = false;

  constructor(flaw: Flaw = {}, hostname = "127.0.0.1") {
    this.flaw = flaw;
    this.#listener = Deno.listen({ hostname, port: 0, tcpBacklog: 1024 });
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const session of this.#sessions) session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#accepting;
    await Promise.all(this.#served);
  }

  async #accept(): Promise<void> {
    try {
      for await (const socket of this.#listener) {
        const session = new Session(socket, this);
        this.#sessions.add(session);
        const served = this.#serve(session).finally(() => this.#served.delete(served));
        this.#served.add(served);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  async #serve(session: Session): Promise<void> {
    try {
      await session.serve();
    } catch {
      // An error of only this connection: reset, a line that is too long, or closed with the server.
    }
    session.close();
    this.#sessions.delete(session);
  }
}

/** Lets a limited number of tasks run in parallel. The others wait. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }

  /** Runs every task immediately. */
  open(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
