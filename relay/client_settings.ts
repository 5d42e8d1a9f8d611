/** Settings that relay clients share. @module */
import { assertToken } from "../access/token_text.ts";
import type { Random } from "../internal/clock.ts";
import { lineCodecWithin } from "../socket/codecs/line_codec.ts";
import type { Dial } from "../socket/connect.ts";
import { ConnectionSettings } from "../socket/connection/settings.ts";
import { systemClock, systemRandom } from "../socket/tcp.ts";
import type { RelayClientOptions } from "./client_options.ts";

/** Options that are the same for all clients of a load test. */
export type SharedClientOptions = Omit<
  RelayClientOptions,
  "text" | "hostname" | "port" | "replyDelay" | "observer"
>;

const ACK_TIMEOUT = 10_000;

/**
 * The options of relay clients with their defaults. The clients of a load test share one: each would hold a dozen objects
 * of them otherwise.
 */
export class ClientSettings {
  readonly connection: ConnectionSettings<string>;
  /** The network, TLS, and longest time until a connection is open. */
  readonly dial: Omit<Dial, "port">;
  readonly random: Random;
  readonly token: string | undefined;
  /** Longest time from then until the ok has come, in ms. */
  readonly ackTimeout: number;
  /** Longest time for which a client stays to answer, in ms. `undefined` means its longest reply delay. */
  readonly linger: number | undefined;
  readonly maxAttempts: number | undefined;
  readonly backOff: RelayClientOptions["backOff"];

  /** @throws {RangeError} If the token cannot be one. */
  constructor(options: SharedClientOptions) {
    const { clock = systemClock, token, timeouts = {}, limits = {}, network, tls } = options;
    if (token !== undefined) assertToken(token);
    this.ackTimeout = timeouts.ack ?? ACK_TIMEOUT;
    this.connection = new ConnectionSettings({ ...options, clock, codec: lineCodecWithin(limits) });
    this.dial = {
      timeouts: { connect: timeouts.connect ?? this.ackTimeout },
      ...(network === undefined ? {} : { network }),
      ...(tls === undefined ? {} : { tls }),
    };
    this.random = options.random ?? systemRandom;
    this.token = token;
    this.linger = timeouts.linger;
    this.maxAttempts = limits.maxAttempts;
    this.backOff = options.backOff;
  }
}
