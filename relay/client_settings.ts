/** Settings that relay clients share. @module */
import { assertToken } from "../access/token_text.ts";
import { encodeFrame } from "../protocol.ts";
import { lineCodecWithin } from "../socket/codecs/line_codec.ts";
import type { Dial } from "../socket/connect.ts";
import { ConnectionSettings } from "../socket/connection/settings.ts";
import type { ReconnectPolicy } from "../socket/reconnect.ts";
import { systemClock, systemRandom } from "../socket/tcp.ts";
import { Deadlines } from "./client_deadlines.ts";
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
  /** The network and TLS. The clients have the timeout. */
  readonly dial: Omit<Dial, "port">;
  readonly reconnect: ReconnectPolicy;
  /** The line that presents the token, if there is one. */
  readonly authLine: string | undefined;
  /** The clients that connect. */
  readonly connecting: Deadlines;
  /** The clients that wait for their ok. */
  readonly acknowledging: Deadlines;
  /** Longest time for which a client stays to answer, in ms. `undefined` means its longest reply delay. */
  readonly linger: number | undefined;

  /** @throws {RangeError} If the token cannot be one. */
  constructor(options: SharedClientOptions) {
    const { clock = systemClock, random = systemRandom, token, backOff } = options;
    const { timeouts = {}, limits = {}, network, tls } = options;
    if (token !== undefined) assertToken(token);
    const { ack = ACK_TIMEOUT, connect = ack } = timeouts;
    this.connection = new ConnectionSettings({ ...options, clock, codec: lineCodecWithin(limits) });
    this.dial = {
      timeouts: { connect: 0 },
      ...(network === undefined ? {} : { network }),
      ...(tls === undefined ? {} : { tls }),
    };
    this.reconnect = { clock, random, backOff, most: limits.maxAttempts };
    this.authLine = token === undefined ? undefined : encodeFrame({ verb: "auth", text: token });
    this.connecting = new Deadlines(clock, connect);
    this.acknowledging = new Deadlines(clock, ack);
    this.linger = timeouts.linger;
  }
}
