/** Facts of a run besides its clients: the server, the generators, faults, and the stop. Pure. @module */
import type {
  AcceptedEvent,
  AgentEvent,
  DiedEvent,
  EndedEvent,
  FaultEvent,
  GeneratorEvent,
  KilledEvent,
  PaceEvent,
  ServerEvent,
  ServerState,
  StopEvent,
} from "../history/events.ts";

/** The events that {@linkcode RunFacts} records. */
export type FactEvent =
  | ServerEvent
  | StopEvent
  | GeneratorEvent
  | AgentEvent
  | DiedEvent
  | KilledEvent
  | PaceEvent
  | FaultEvent
  | AcceptedEvent
  | EndedEvent;

/** {@linkcode RunFacts} as plain data. */
export interface RunFactsSnapshot {
  readonly events: readonly FactEvent[];
}

/** Facts of a run. */
export class RunFacts {
  readonly #events: FactEvent[] = [];

  record(event: FactEvent): void {
    this.#events.push(event);
  }

  /** The last state that the server reported; `null` if there was none. */
  get server(): ServerState | null {
    return this.#of("server").at(-1)?.state ?? null;
  }

  get stop(): StopEvent | undefined {
    return this.#of("stop").at(-1);
  }

  /** Whether the run stopped itself before its end, which excuses what was not done then. */
  get aborted(): boolean {
    const why = this.stop?.why;
    return why === "threshold" || why === "unreachable";
  }

  /** Changes of the pace, in order. */
  get paces(): PaceEvent[] {
    return this.#of("pace");
  }

  get generators(): GeneratorEvent[] {
    return this.#of("generator");
  }

  /** The agents that run generator processes; none if all of them run on this machine. */
  get agents(): AgentEvent[] {
    return this.#of("agent");
  }

  get died(): DiedEvent[] {
    return this.#of("died");
  }

  /** The event of a server that had to be killed at its end, if any. */
  get killed(): KilledEvent | undefined {
    return this.#of("killed").at(-1);
  }

  get faults(): FaultEvent[] {
    return this.#of("fault");
  }

  /** Connection events of the server, in order. */
  get connectionEvents(): (AcceptedEvent | EndedEvent)[] {
    return this.#events.filter((event) => event.event === "accepted" || event.event === "ended");
  }

  snapshot(): RunFactsSnapshot {
    return { events: this.#events };
  }

  /** Adds the facts of another ledger. */
  absorb({ events }: RunFactsSnapshot): void {
    for (const event of events) this.#events.push(event);
  }

  #of<Kind extends FactEvent["event"]>(kind: Kind): Extract<FactEvent, { event: Kind }>[] {
    return this.#events.filter((event): event is Extract<FactEvent, { event: Kind }> => event.event === kind);
  }
}
