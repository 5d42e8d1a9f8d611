import { bytesCodec, type Clock, connect, type Connection, type Network } from "../../../socket/mod.ts";

/** A connection that a test writes and reads as text, without framing. */
export class Talk implements AsyncDisposable {
  readonly connection: Connection<Uint8Array>;
  readonly #pieces: AsyncIterableIterator<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #heard = "";

  constructor(connection: Connection<Uint8Array>) {
    this.connection = connection;
    this.#pieces = connection[Symbol.asyncIterator]();
  }

  /** Sends text, and waits until the socket has taken it. */
  async send(piece: string | Uint8Array): Promise<void> {
    this.connection.send(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    await this.connection.flushed();
  }

  /** Reads up to the end of `text`, and returns everything so far. The rest stays for the next call. */
  async upTo(text: string): Promise<string> {
    while (!this.#heard.includes(text)) {
      const next = await this.#pieces.next();
      if (next.done) {
        throw new Error(`Expected ${JSON.stringify(text)}, got ${JSON.stringify(this.#heard)} and the end`);
      }
      this.#heard += this.#decoder.decode(next.value, { stream: true });
    }
    const end = this.#heard.indexOf(text) + text.length;
    const upTo = this.#heard.slice(0, end);
    this.#heard = this.#heard.slice(end);
    return upTo;
  }

  /** Reads until the peer's end. */
  async rest(): Promise<string> {
    for await (const bytes of this.#pieces) this.#heard += this.#decoder.decode(bytes, { stream: true });
    return this.#heard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}

/** Connects, optionally over another network than the default. */
export async function talk(port: number, seam: { clock?: Clock; network?: Network } = {}): Promise<Talk> {
  return new Talk(await connect({ port, codec: bytesCodec, ...seam }));
}

/** Sends bytes over one connection, in the given pieces, and returns all bytes of the answer. */
export async function exchange(port: number, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  await using connection = await talk(port);
  for (const piece of pieces) await connection.send(piece);
  return await connection.rest();
}
