/** {@linkcode Network.dial} on a network that has only promises and signals. @module */
import type { ConnectReceiver, DialOptions, Network, PendingConnect } from "./network.ts";

/** Connects with `connect`, and passes its result to the receiver. */
export function dialBySignal(
  network: Pick<Network, "connect">,
  options: Omit<DialOptions, "signal">,
  receiver: ConnectReceiver,
): PendingConnect {
  const giveUp = new AbortController();
  network.connect({ ...options, signal: giveUp.signal }).then((transport) => {
    // It may have opened while it was given up.
    if (giveUp.signal.aborted) transport.close();
    else receiver.connected(transport);
  }, (cause) => {
    if (!giveUp.signal.aborted) receiver.connectFailed(cause);
  });
  return { cancel: () => giveUp.abort() };
}
