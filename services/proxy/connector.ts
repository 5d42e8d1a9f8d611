/** Connections of a proxy or balancer to its backends. @module */
import type { Clock } from "../../internal/clock.ts";
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import { ConnectAttempt, type ConnectionReceiver, ConnectRequest, type Dial } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectionSettings } from "../../socket/connection/settings.ts";
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

/** Connects to a few backends, with settings that all these connections share. */
export class Connector {
  readonly #settings: ConnectionSettings<Uint8Array>;
  readonly #dial: Omit<Dial, "port">;
  /** By backend, so that a client needs no options of its own. */
  readonly #dials = new Map<Address, Dial>();

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

  /** Begins to connect, without a promise and a signal, which would cost as much as the tunnel. */
  request(backend: Address, receiver: ConnectionReceiver<Uint8Array>): ConnectRequest<Uint8Array> {
    let dial = this.#dials.get(backend);
    if (dial === undefined) this.#dials.set(backend, dial = this.#dialOf(backend));
    const request = new ConnectRequest(dial, this.#settings, receiver);
    request.begin();
    return request;
  }

  /** Connects as `connect` does. */
  connect(backend: Address, signal: AbortSignal): Promise<Connection<Uint8Array>> {
    return new ConnectAttempt({ ...this.#dialOf(backend), signal }, this.#settings).opened;
  }

  #dialOf({ hostname, port }: Address): Dial {
    return { ...this.#dial, hostname, port };
  }
}
