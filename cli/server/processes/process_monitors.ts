/** Merges the figures of the processes of a server for its admin server. @module */
import {
  type ConnectionRow,
  formatConnectionQuery,
  PageSelection,
  selectedRows,
} from "../../../admin/mod.ts";
import type {
  ConnectionList,
  ConnectionPage,
  ConnectionQuery,
  MonitoredProcesses,
  MonitorFigures,
} from "../../../admin/mod.ts";
import type { Crew, Member } from "./crew.ts";

type Times = Parameters<MonitoredProcesses["watch"]>[0];

/** The longest list of one process: the first rows of any page. */
const MOST_ROWS = 10_000;

/**
 * The monitors of all processes. A connection has the id `n × slots + p`, for connection n of the process in slot p: every
 * process numbers its connections from 1. The ids of a process that has ended are not given to connections of its successor,
 * which an operator would then close by mistake.
 */
export class ProcessMonitors implements MonitoredProcesses, ConnectionList {
  readonly connections: ConnectionList = this;
  readonly #crew: Crew;
  #bytes = { bytesIn: 0, bytesOut: 0 };
  #times: Times | undefined;

  constructor(crew: Crew) {
    this.#crew = crew;
  }

  bytes(): MonitorFigures["bytes"] {
    return this.#bytes;
  }

  get others(): MonitoredProcesses["others"] {
    const { members, ended } = this.#crew;
    return {
      running: members.flatMap(({ worker }) => {
        const { figures } = worker.known;
        return figures === undefined ? [] : [{ pid: worker.pid, figures: figures.process }];
      }),
      endedCpuSeconds: ended.figures.process.cpuSeconds,
    };
  }

  watch(times: Times): void {
    this.#times = times;
  }

  /** Asks all processes for their figures. Does nothing while no admin server watches. */
  async collect(): Promise<void> {
    const times = this.#times;
    if (times === undefined) return;
    await Promise.all(this.#crew.members.map(({ worker }) => worker.figures()));
    const figures = this.#crew.members.flatMap(({ worker }) => worker.known.figures ?? []);
    figures.push(this.#crew.ended.figures);
    const sum = (of: (part: MonitorFigures) => number) =>
      figures.reduce((total, part) => total + of(part), 0);
    this.#bytes = {
      bytesIn: sum(({ bytes }) => bytes.bytesIn),
      bytesOut: sum(({ bytes }) => bytes.bytesOut),
    };
    times.ack.assign(figures.map((part) => part.times.ack));
    times.lag.assign(figures.map((part) => part.times.lag));
  }

  async list(query: ConnectionQuery): Promise<ConnectionPage> {
    const { slots } = this.#crew;
    const { id, offset, limit, state, sort } = query;
    const members = this.#crew.members.filter(({ slot }) => id === undefined || id % slots === slot);
    const own = {
      ...query,
      offset: 0,
      limit: Math.min(MOST_ROWS, offset + limit),
      id: id === undefined ? undefined : Math.floor(id / slots),
    };
    const lists = await Promise.all(members.map((member) => listOf(member, own)));
    const known = lists.filter((list) => list !== undefined);
    const selection = new PageSelection<ConnectionRow>(query, (row, field) => row[field]);
    for (const { connections, slot } of known) {
      for (const row of connections) selection.add({ ...row, id: row.id * slots + slot });
    }
    const running = new Set(this.#crew.members.map(({ slot }) => slot));
    const unanswered = members.filter(({ slot }, index) => lists[index] === undefined && running.has(slot));
    const sum = (of: (list: ProcessList) => number) => known.reduce((total, list) => total + of(list), 0);
    return {
      now: Math.max(0, ...known.map(({ now }) => now)),
      state,
      sort,
      total: sum(({ total }) => total),
      matched: sum(({ matched }) => matched),
      offset,
      limit,
      ...(unanswered.length === 0 ? {} : { unanswered: unanswered.length }),
      rows: selectedRows(selection),
    };
  }

  async close(id: number): Promise<{ readonly type: string } | undefined> {
    const { slots, members } = this.#crew;
    const member = members.find(({ slot }) => slot === id % slots);
    const answer = await member?.worker.request(`close ${Math.floor(id / slots)}`);
    return answer?.event === "closed" ? { type: String(answer.reason) } : undefined;
  }
}

/** Returns the list of one process, or `undefined` if it is gone or hangs. */
async function listOf({ worker, slot }: Member, query: ConnectionQuery): Promise<ProcessList | undefined> {
  const answer = await worker.request(`connections ${formatConnectionQuery(query)}`);
  return answer?.event === "connections" ? { ...answer, slot } as unknown as ProcessList : undefined;
}

interface ProcessList {
  readonly slot: number;
  readonly now: number;
  readonly total: number;
  readonly matched: number;
  readonly connections: readonly ConnectionRow[];
}
