/** Connections of a proxy or balancer to its backends. @module */
import type { Clock } from "../../internal/clock.ts";
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import { ConnectAttempt } from "../../socket/connect.ts";
import { ConnectionSettings } from "../../socket/connection/settings.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectError } from "../../socket/errors.ts";
import type { Address, Network } from "../../socket/network.ts";

/** Options for {@linkcode Connector}. */
export interface ConnectorOptions {
  readonly clock: Clock;
  readonly network?: Network;
  readonly backendNetwork?: Network;
  readonly timeouts?: {
    /** Longest time in ms for one connect. Default 5000. */
    readonly connect?: number;
  };
}

const CONNECT_TIMEOUT = 5000;

/** Connects to backends, with settings that all these connections share. */
export class Connector {
  readonly #settings: ConnectionSettings<Uint8Array>;
  readonly #dial: { readonly network?: Network; readonly timeouts: { readonly connect: number } };

  /** @param drain Longest time in ms that closing a connection may take. Default that of connections. */
  constructor(options: ConnectorOptions, drain?: number) {
    const { clock, timeouts } = options;
    const network = options.backendNetwork ?? options.network;
    this.#settings = new ConnectionSettings({
      clock,
      codec: rawCodec,
      timeouts: drain === undefined ? {} : { drain },
    });
    this.#dial = {
      timeouts: { connect: timeouts?.connect ?? CONNECT_TIMEOUT },
      ...(network === undefined ? {} : { network }),
    };
  }

  /** Begins to connect. The attempt rejects as `connect` does. */
  connect({ hostname, port }: Address, signal?: AbortSignal): ConnectAttempt<Uint8Array> {
    const dial = { ...this.#dial, hostname, port, ...(signal === undefined ? {} : { signal }) };
    return new ConnectAttempt(dial, this.#settings);
  }
}

/**
 * Calls `giveUp` with the reason when a client's connection closes, until it is disposed of. The reason is made only then: its
 * stack trace would cost every client that was served 11 µs.
 */
export function whenGone(
  client: Connection<Uint8Array>,
  giveUp: (reason: ConnectError) => void,
): Disposable {
  let dialing = true;
  void client.closed.then(() => {
    if (dialing) giveUp(new ConnectError("other", "Client has disconnected"));
  });
  return {
    [Symbol.dispose]() {
      dialing = false;
    },
  };
}
