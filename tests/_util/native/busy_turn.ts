/** Turns of the event loop with many events. */
import type { Network, Transport } from "../../../socket/network.ts";
import { text, transportPair } from "../network/transport_pair.ts";

/** As many events as make a turn busy. */
const EVENTS = 5;

/** Calls `run` in a turn of the event loop that is busy, while it handles the first of its events. */
export async function inBusyTurn(network: Network, run: () => void): Promise<void> {
  using stack = new DisposableStack();
  const fars: Transport[] = [];
  for (let index = 0; index < EVENTS; index++) {
    const { near, far } = stack.use(await transportPair(network));
    fars.push(far);
    near.writeNow!(text("x"), 1);
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let first = true;
  for (const far of fars) {
    far.receive!({
      received() {
        if (!first) return;
        first = false;
        try {
          run();
          resolve();
        } catch (error) {
          reject(error);
        }
      },
      receivedEnd() {},
      receiveFailed: reject,
    });
  }
  await promise;
}
