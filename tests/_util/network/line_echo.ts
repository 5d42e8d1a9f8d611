/** A line echo that records why its connections closed. */
import type { Connection } from "../../../socket/connection.ts";
import { type CloseReason, describeCloseReason } from "../../../socket/errors.ts";
import { type LineListenOptions, listen, type Listener } from "../../../socket/listen.ts";
import type { Simulation } from "../loadtest/simulation.ts";
import { on } from "../on_event.ts";

/** Starts a server that echoes lines, and sends peers the reason when it refuses or closes them. */
export function startLineEcho(world: Simulation, options: Partial<LineListenOptions> = {}): LineEcho {
  return new LineEcho(world, options);
}

/** A server of {@linkcode startLineEcho}. */
export class LineEcho implements AsyncDisposable {
  readonly listener: Listener;
  readonly reasons: CloseReason[] = [];
  readonly #served: Promise<void>;

  constructor(world: Simulation, options: Partial<LineListenOptions>) {
    this.listener = listen({
      ...world.seam,
      refusal: (why) => `error ${why}`,
      farewell: (reason) => `error ${describeCloseReason(reason)}`,
      onEvent: on("closed", ({ reason }) => this.reasons.push(reason)),
      ...options,
    });
    this.#served = this.listener.serve((peer) => this.#echo(peer));
  }

  get port(): number {
    return this.listener.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close();
    await this.#served;
  }

  async #echo(peer: Connection): Promise<void> {
    for await (const line of peer) peer.send(line);
  }
}
