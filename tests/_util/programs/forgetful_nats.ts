/** A NATS server that does not know its users for some time. */
import { type Connection, lineCodec, listen, type Listener } from "../../../socket/mod.ts";

/** As much of a NATS server as a client needs to connect. */
export class ForgetfulNats {
  /** Clients to refuse. */
  refusals = 0;
  readonly #clients = new Set<Connection>();

  listen(): Listener {
    const server = listen({ port: 0, codec: lineCodec({ maxLine: 4096 }) });
    void server.serve(async (client) => {
      this.#clients.add(client);
      client.send(
        'INFO {"server_id":"S","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576,"auth_required":true}\r',
      );
      for await (const line of client) {
        if (line.startsWith("CONNECT ") && this.refusals > 0) {
          this.refusals--;
          client.send("-ERR 'Authorization Violation'\r");
          break;
        }
        if (line.startsWith("PING")) client.send("PONG\r");
      }
      this.#clients.delete(client);
    });
    return server;
  }

  /** Disconnects all clients. */
  disconnect(): void {
    for (const client of this.#clients) client.abort();
  }
}
