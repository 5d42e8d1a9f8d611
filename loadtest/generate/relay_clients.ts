/** The relay clients of a fleet. @module */
import { ClientMachine } from "../../relay/client_machine.ts";
import { ClientSettings, type SharedClientOptions } from "../../relay/client_settings.ts";
import type { Dial } from "../../socket/connect.ts";
import type { Address, Network } from "../../socket/network.ts";
import type { MessageName } from "../history/events.ts";
import type { RelayTask } from "./relay_task.ts";

/** Options for {@linkcode RelayClients}. */
export interface RelayClientsOptions {
  readonly task: RelayTask;
  /** Options of all clients. */
  readonly shared: SharedClientOptions;
  /** The addresses of the server; client `i` connects to the one at `i` modulo their number. */
  readonly targets: readonly Address[];
}

/** Creates clients that share a task, their settings, and the ways to their targets. */
export class RelayClients {
  readonly #task: RelayTask;
  readonly #settings: ClientSettings;
  readonly #dials: readonly Dial[];

  constructor({ task, shared, targets }: RelayClientsOptions) {
    this.#task = task;
    const settings = new ClientSettings(shared);
    this.#settings = settings;
    this.#dials = targets.map((target) => ({ ...settings.dial, ...target }));
  }

  /**
   * Creates a client.
   *
   * @param network Its own network. Default: that of all clients.
   */
  create(index: number, network?: Network): ClientMachine<MessageName> {
    const dial = this.#dials[index % this.#dials.length]!;
    const own = network === undefined ? dial : { ...dial, network };
    return new ClientMachine<MessageName>(index, own, this.#task, this.#settings);
  }
}
