/** Node.js sockets as transports, because they can reset, and Deno's cannot. */
import { connect, type Socket } from "node:net";
import type { Address, DialOptions, Transport } from "../../../socket/network.ts";

export async function connectByNode(options: DialOptions): Promise<Transport> {
  const socket = connect({ host: options.hostname ?? "127.0.0.1", port: options.port, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return new NodeTransport(socket);
}

class NodeTransport implements Transport {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket.iterator({ destroyOnReturn: false });
  }

  get local(): Address {
    return { hostname: this.#socket.localAddress!, port: this.#socket.localPort! };
  }

  get remote(): Address {
    return { hostname: this.#socket.remoteAddress!, port: this.#socket.remotePort! };
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#left.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return null;
      this.#left = value;
    }
    const part = this.#left.subarray(0, into.length);
    into.set(part);
    this.#left = this.#left.subarray(part.length);
    return part.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}
