/** A node of a cluster that records what its bus reports. */
import { Watch } from "../../../internal/watch.ts";
import type { Bus } from "../../../relay/cluster/bus.ts";

/** Records messages, changes of the status, and nodes that are gone, in their order. */
export class BusRecorder implements AsyncDisposable {
  readonly bus: Bus;
  readonly events: string[] = [];
  readonly #watch = new Watch(() => this.events);

  constructor(bus: Bus) {
    this.bus = bus;
    const add = (event: string) => {
      this.events.push(event);
      this.#watch.changed();
    };
    bus.receive({
      onMessage: (message) => add(message),
      onStatus: () => add(`status ${bus.status}`),
      onGone: (node) => add(`gone ${node}`),
    });
  }

  /** Waits for an event. */
  async until(event: string): Promise<void> {
    await this.#watch.until((events) => events.includes(event));
  }

  /** Waits until an event has come this often. */
  async untilCount(event: string, count: number): Promise<void> {
    await this.#watch.until((events) => events.filter((one) => one === event).length >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.close();
  }
}
