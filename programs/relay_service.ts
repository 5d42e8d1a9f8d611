/** The relay as a service of `server.ts`. @module */
import { duration, flag, text } from "../cli/option.ts";
import type { Values } from "../cli/program.ts";
import { ExitError } from "../cli/exit.ts";
import { PeerHistory } from "../loadtest/peer_history.ts";
import { startRelay } from "../relay/relay_server.ts";
import { CountedClock } from "../socket/counted_clock.ts";
import { systemClock } from "../socket/system.ts";
import { lineOptions, listenOptions, type RunningService, servicePort, sharedOptions } from "./service.ts";

const options = {
  port: servicePort(8000),
  ...sharedOptions,
  ...lineOptions,
  ackTimeout: duration({
    help: "Redeliver a message that has no ok after so long; 0 for never",
    default: 10_000,
  }),
  redeliver: flag({
    help: "Leave a message with its first holder, even one that leaves or is silent",
    default: true,
  }),
  history: text({
    help: "Write every connection and its end to this file, a line of JSON each",
    placeholder: "FILE",
  }),
};

/** `server.ts relay`. */
export const relayCommand = {
  summary: "Hands each message to a random connection and brings its ok back",
  options,
  examples: [
    ["", "A relay on 127.0.0.1:8000"],
    [
      "relay --host 0.0.0.0 --port 9000 --max-connections 10000",
      "On every address, for 10,000 peers at most",
    ],
  ],
} as const;

/**
 * Starts a relay from its command line.
 *
 * @throws {ExitError} If the history cannot be written.
 */
export function startRelayService(values: Values<typeof options>): RunningService {
  const { ackTimeout, redeliver, maxLine } = values;
  const history = values.history === undefined ? undefined : openHistory(values.history);
  const clock = new CountedClock(systemClock);
  const relay = startRelay({
    ...listenOptions(values),
    clock,
    ackTimeout,
    redeliver,
    maxLine,
    ...(history && { observer: history.observer }),
  });
  return {
    addresses: relay.addresses,
    // The ends of its last connections come before this settles.
    closed: relay.closed.finally(() => history?.[Symbol.dispose]()),
    stats: () => ({ ...relay.stats(), timers: clock.running }),
    drain: () => relay.drain(),
    close: () => relay.close(),
  };
}

function openHistory(path: string): PeerHistory {
  try {
    return new PeerHistory(path, () => performance.timeOrigin + performance.now());
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExitError(`Cannot write the history ${path}: ${why}`, { cause });
  }
}
