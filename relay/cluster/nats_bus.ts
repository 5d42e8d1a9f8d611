/** A bus between hosts, over NATS (https://nats.io). @module */
import type { Msg, NatsConnection } from "@nats-io/nats-core/internal";
import type { Clock } from "../../internal/clock.ts";
import type { Network, NetworkLayer } from "../../socket/network.ts";
import { systemClock, systemNetwork } from "../../socket/tcp.ts";
import type { Bus, BusHandlers, BusStatus } from "./bus.ts";

/** Options for {@linkcode NatsBus}. */
export interface NatsBusOptions {
  /** Id of this node; see {@linkcode Bus.node}. */
  readonly node: string;
  /** Addresses of NATS servers, such as `nats://host:4222`; `tls://` requires TLS. User and password may be in the URL. */
  readonly servers: readonly string[];
  /** Name of the cluster: nodes with the same name relay together. Letters, digits, and hyphens. Default `okline`. */
  readonly name?: string;
  /** Content of a credentials file. Default: none. */
  readonly credentials?: Uint8Array;
  /** TLS, for servers that offer or require it: a `ClientTls` of `@okline/okline/tls`. Default: none. */
  readonly tls?: NetworkLayer;
  /** Whether to refuse a server without TLS. Default: only if its address begins with `tls://`. */
  readonly requireTls?: boolean;
  /**
   * The network, below `tls`. Default: the system's. With the network of the relay's connections, one event loop reads
   * both.
   */
  readonly network?: Network;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Called with problems that the bus survives, such as errors of the server and slow reading. Default: ignored. */
  readonly onWarning?: (message: string) => void;
}

/** Begins an error that stands for the end of a connection before the server has answered. */
export const UNANSWERED = "Authorization Violation: ";

const NAME = /^[A-Za-z0-9-]{1,64}$/;
const CONNECT_TIMEOUT = 5000;
const RECONNECT_WAIT = 250;
const DRAIN_TIMEOUT = 1000;
// A dead NATS server is noticed after about six seconds, as a dead node is after three and a half.
const PING_INTERVAL = 2000;
const MAX_PINGS = 3;

/**
 * A bus over NATS: `okline.NAME.all` reaches every node, `okline.NAME.node.ID` one of them. Core NATS delivers at most
 * once and in order; what is sent while the server is gone is dropped.
 */
export class NatsBus implements Bus {
  readonly node: string;
  readonly noticesDeath = false;
  readonly #options: NatsBusOptions;
  readonly #prefix: string;
  #handlers: BusHandlers | undefined;
  #connection: NatsConnection | undefined;
  #status: BusStatus = "connecting";
  #reconnects = 0;
  /** Why the last attempt to connect failed, until one succeeds. */
  #failure: Error | undefined;
  // The default of NATS, until the server has stated its own limit.
  #maxMessage = 1024 * 1024;

  /**
   * Creates a bus that is not connected yet.
   *
   * @throws {RangeError} If the name or a server is invalid.
   */
  constructor(options: NatsBusOptions) {
    const { name = "okline", servers } = options;
    if (!NAME.test(name)) {
      throw new RangeError(
        `Cannot use cluster name ${JSON.stringify(name)}: expected 1 to 64 letters, digits, and hyphens`,
      );
    }
    if (servers.length === 0) throw new RangeError("Cannot join a cluster: no NATS server was given");
    this.node = options.node;
    this.#options = options;
    this.#prefix = `okline.${name}`;
  }

  /** The largest message in bytes, as the NATS server states it. */
  get maxMessage(): number {
    return this.#maxMessage;
  }

  /** Whether a NATS server is connected. */
  get status(): BusStatus {
    return this.#status;
  }

  /** Sets what is called for this node. */
  receive(handlers: BusHandlers): void {
    this.#handlers = handlers;
  }

  /** Connects to one of the servers. Rejects with an error that names them if none can be reached. */
  async connect(): Promise<void> {
    const { servers, credentials, tls, requireTls = servers.some(isTls) } = this.#options;
    const { network = systemNetwork, clock = systemClock } = this.#options;
    // Loaded only when it is used.
    const [{ connectNats }, { credsAuthenticator }] = await Promise.all([
      import("./nats_socket.ts"),
      import("@nats-io/nats-core/internal"),
    ]);
    try {
      this.#connection = await connectNats({
        servers: servers.map(withoutScheme),
        name: `okline ${this.node}`,
        noEcho: true,
        timeout: CONNECT_TIMEOUT,
        maxReconnectAttempts: -1,
        // A server that refuses a node for some time, as while its users are reloaded, must not lose it for good.
        ignoreAuthErrorAbort: true,
        reconnectTimeWait: RECONNECT_WAIT,
        pingInterval: PING_INTERVAL,
        maxPingOut: MAX_PINGS,
        ...userOf(servers[0]!),
        ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(credentials) }),
        ...(requireTls ? { tls: {} } : {}),
      }, { network, clock, tls, onFailed: (error) => this.#failed(error) });
    } catch (cause) {
      const why = (cause instanceof Error ? cause.message : String(cause)).replace(UNANSWERED, "");
      throw new Error(`Cannot connect to NATS at ${servers.map(withoutUser).join(", ")}: ${why}`, { cause });
    }
    this.#failure = undefined;
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) this.#handlers?.onMessage(message.string());
      else this.#warn(error.message);
    };
    this.#connection.subscribe(`${this.#prefix}.all`, { callback });
    this.#connection.subscribe(`${this.#prefix}.node.${this.node}`, { callback });
    // Only then can the others answer.
    await this.#connection.flush();
    this.#readLimit();
    // Ends with the connection.
    void this.#watch(this.#connection);
    this.#become("connected");
  }

  /** Sends a message to one node. */
  send(node: string, message: string): boolean {
    return this.#publish(`${this.#prefix}.node.${node}`, message);
  }

  /** Sends a message to every other node. */
  publish(message: string): boolean {
    return this.#publish(`${this.#prefix}.all`, message);
  }

  /** Sends what is queued, and disconnects. */
  async close(): Promise<void> {
    if (this.#status === "closed") return;
    const connected = this.#status === "connected";
    this.#become("closed");
    if (this.#connection === undefined) return;
    if (connected) await this.#drain(this.#connection);
    await this.#connection.close();
  }

  /** Sends what is queued. If the server goes at the same time, draining may reject or never settle: it gets a second. */
  async #drain(connection: NatsConnection): Promise<void> {
    const { clock = systemClock } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = clock.after(DRAIN_TIMEOUT, () => late.resolve());
    await Promise.race([connection.drain().catch(() => {}), connection.closed(), late.promise]);
    timer.cancel();
  }

  #publish(subject: string, message: string): boolean {
    if (this.#status !== "connected") return false;
    this.#connection!.publish(subject, message);
    return true;
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      switch (status.type) {
        case "disconnect":
        case "staleConnection":
          this.#reconnects++;
          this.#become("disconnected");
          break;
        case "reconnect":
          void this.#reconnected(connection);
          break;
        case "slowConsumer":
          this.#warn(`${status.pending} messages are waiting to be read`);
          break;
        case "error":
          // The others are reported when the connection ends.
          if (!status.error.message.startsWith(UNANSWERED)) this.#warn(status.error.message);
          break;
      }
    }
  }

  /** Waits until the server has the subscriptions again: what others send before that is lost. */
  async #reconnected(connection: NatsConnection): Promise<void> {
    const attempt = ++this.#reconnects;
    try {
      await connection.flush();
    } catch {
      return; // Disconnected again, which is reported by itself.
    }
    if (attempt !== this.#reconnects) return;
    this.#failure = undefined;
    this.#readLimit();
    this.#become("connected");
  }

  #readLimit(): void {
    this.#maxMessage = this.#connection?.info?.max_payload ?? this.#maxMessage;
  }

  /** Reports why a server cannot be connected to; once, however often that is tried. */
  #failed(error: Error): void {
    if (this.#connection !== undefined && error.message !== this.#failure?.message) this.#warn(error.message);
    this.#failure = error;
  }

  #warn(message: string): void {
    this.#options.onWarning?.(`NATS: ${message}`);
  }

  #become(status: BusStatus): void {
    if (this.#status === status || this.#status === "closed") return;
    this.#status = status;
    this.#handlers?.onStatus();
  }
}

function isTls(server: string): boolean {
  return server.startsWith("tls://");
}

function withoutScheme(server: string): string {
  return withoutUser(server).replace(/^[a-z]+:\/\//, "");
}

function withoutUser(server: string): string {
  return server.replace(/\/\/[^@/]*@/, "//");
}

/** Returns the user and password in a URL; a user without a password is a token, as NATS has it. */
function userOf(server: string): { user: string; pass: string } | { token: string } | undefined {
  const [, user, pass] = /^[a-z]+:\/\/([^:@/]+)(?::([^@/]*))?@/.exec(server) ?? [];
  if (user === undefined) return undefined;
  return pass === undefined
    ? { token: decodeURIComponent(user) }
    : { user: decodeURIComponent(user), pass: decodeURIComponent(pass) };
}
