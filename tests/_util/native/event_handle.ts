/** A descriptor whose events a test handles. */
import { EPOLLIN } from "../../../native/epoll_events.ts";
import type { EventLoop } from "../../../native/event_loop.ts";
import { Handle } from "../../../native/handle.ts";

/** An eventfd that waits for input. */
export class EventHandle extends Handle {
  readonly #handle: () => void;

  /**
   * @param bits The events that epoll reports.
   * @param handle Called for each event. Unless it lowers the descriptor, the next turn has the event again.
   */
  constructor(loop: EventLoop, bits: number, handle: () => void = () => {}) {
    super(loop, loop.libc.eventfd(), bits);
    this.#handle = handle;
  }

  close(): void {
    this.closeDescriptor();
  }

  protected wanted(): number {
    return EPOLLIN;
  }

  protected readable(): void {
    this.#handle();
  }

  protected writable(): void {}
}
