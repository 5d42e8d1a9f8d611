/** A server of lines behind TLS, and clients that trust its authority, or not. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import type { Connection } from "../../../socket/connection.ts";
import { type CloseReason, ConnectError, TlsError } from "../../../socket/errors.ts";
import type { Identity } from "../../../tls/certificate.ts";
import { listen, type Listener } from "../../../socket/listen.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { TlsNetwork, type TlsOptions, type TlsServerOptions } from "../../../tls/mod.ts";
import { Authority } from "./certificates.ts";
import { on } from "../on_event.ts";

/** A server that sends lines back, and says at the end of each peer that it was here. */
export interface TlsEcho extends AsyncDisposable {
  readonly listener: Listener;
  readonly network: TlsNetwork;
  readonly reasons: CloseReason[];
}

/** An authority with a certificate for this machine, made once for the tests of a file. */
export class TlsFixture implements AsyncDisposable {
  readonly authority: Authority;
  readonly identity: Identity;

  private constructor(authority: Authority, identity: Identity) {
    this.authority = authority;
    this.identity = identity;
  }

  static async create(): Promise<TlsFixture> {
    const authority = await Authority.create();
    return new TlsFixture(authority, await authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"]));
  }

  startEcho(options: Partial<TlsServerOptions> = {}, timing: Partial<TlsOptions> = {}): TlsEcho {
    const { identity } = this;
    const network = new TlsNetwork(systemNetwork, { ...timing, server: { identity, ...options } });
    const reasons: CloseReason[] = [];
    const listener = listen({ network, onEvent: on("closed", ({ reason }) => reasons.push(reason)) });
    const served = listener.serve(async (peer) => {
      for await (const line of peer) peer.send(line);
      peer.send("after your end");
    });
    return {
      listener,
      network,
      reasons,
      [Symbol.asyncDispose]: async () => {
        await listener.close();
        await served;
      },
    };
  }

  dial(server: TlsEcho, client: TlsOptions["client"] = {}): Promise<Connection> {
    const network = new TlsNetwork(systemNetwork, {
      client: { ca: this.authority.certificate, ...client },
    });
    return connect({ port: server.listener.port, network });
  }

  /** The reason why TLS fails. */
  async rejection(server: TlsEcho, client: TlsOptions["client"]): Promise<TlsError> {
    const error = await assertRejects(() => this.dial(server, client), ConnectError);
    assertEquals(error.code, "tls");
    assert(error.cause instanceof TlsError);
    return error.cause;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.authority[Symbol.asyncDispose]();
  }
}

/** Says the lines and ends; gives what is answered until the other end. */
export async function talk(connection: Connection, lines: readonly string[]): Promise<string[]> {
  for (const line of lines) connection.send(line);
  await connection.closeWrite();
  return await Array.fromAsync(connection);
}
