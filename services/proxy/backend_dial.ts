/** Connecting to the backend of a proxy, with retries. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import type { ConnectionReceiver, ConnectRequest } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectError } from "../../socket/errors.ts";
import type { Address } from "../../socket/network.ts";
import type { Connector } from "./connector.ts";
import type { PendingUpstream, UpstreamReceiver } from "./upstream.ts";

/** The parts of each {@linkcode BackendDial} of a proxy. */
export interface BackendDialContext {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly backend: Address;
  /** Most connects per client. */
  readonly attempts: number;
  /** Time in ms before the second connect. It doubles with every connect. */
  readonly delay: number;
}

/** Connects to one backend for one client. */
export class BackendDial implements ConnectionReceiver<Uint8Array>, PendingUpstream {
  readonly #context: BackendDialContext;
  readonly #receiver: UpstreamReceiver;
  #attempts = 0;
  #request: ConnectRequest<Uint8Array> | undefined;
  #timer: Timer | undefined;
  #canceled = false;

  /** Begins to connect. */
  constructor(context: BackendDialContext, receiver: UpstreamReceiver) {
    this.#context = context;
    this.#receiver = receiver;
    this.#dial();
  }

  /** Called by the request. */
  opened(connection: Connection<Uint8Array>): void {
    this.#receiver.connected(connection);
  }

  /** Called by the request. */
  notOpened(error: unknown): void {
    if (this.#canceled) return;
    const { attempts, delay, clock } = this.#context;
    if (!(error instanceof ConnectError) || this.#attempts >= attempts) this.#receiver.notConnected(error);
    else this.#timer = clock.after(delay * 2 ** (this.#attempts - 1), () => this.#dial());
  }

  cancel(): void {
    this.#canceled = true;
    this.#timer?.cancel();
    this.#request?.cancel(undefined);
  }

  #dial(): void {
    const { connector, backend } = this.#context;
    this.#attempts++;
    this.#request = connector.request(backend, this);
  }
}
