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
import type { Worker } from "./worker.ts";

type Times = Parameters<MonitoredProcesses["watch"]>[0];

/** The longest list of one process: the first rows of any page. */
const MOST_ROWS = 10_000;

/**
 * The monitors of all processes. A connection has the id `n × processes + p`, for connection n of process p: every process
 * numbers its connections from 1.
 */
export class ProcessMonitors implements MonitoredProcesses, ConnectionList {
  readonly connections: ConnectionList = this;
  readonly #workers: () => readonly Worker[];
  #bytes = { bytesIn: 0, bytesOut: 0 };
  #times: Times | undefined;

  /** @param workers Returns the processes, each always at the same index. */
  constructor(workers: () => readonly Worker[]) {
    this.#workers = workers;
  }

  bytes(): MonitorFigures["bytes"] {
    return this.#bytes;
  }

  watch(times: Times): void {
    this.#times = times;
  }

  /** Asks all processes for their figures. Does nothing while no admin server watches. */
  async collect(): Promise<void> {
    const times = this.#times;
    if (times === undefined) return;
    const answers = await Promise.all(this.#workers().map((worker) => worker.request("figures")));
    const figures = answers.filter((answer) => answer?.event === "figures") as unknown as MonitorFigures[];
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
    const workers = this.#workers();
    const { id, offset, limit, state, sort } = query;
    const whole = { ...query, offset: 0, limit: Math.min(MOST_ROWS, offset + limit), id: undefined };
    const lists = await Promise.all(workers.map(async (worker, index) => {
      if (id !== undefined && id % workers.length !== index) return undefined;
      const own = id === undefined ? whole : { ...whole, id: Math.floor(id / workers.length) };
      const answer = await worker.request(`connections ${formatConnectionQuery(own)}`);
      return answer?.event === "connections" ? { ...answer, index } as unknown as ProcessList : undefined;
    }));
    const known = lists.filter((list) => list !== undefined);
    const selection = new PageSelection<ConnectionRow>(query, (row, field) => row[field]);
    for (const { connections, index } of known) {
      for (const row of connections) selection.add({ ...row, id: row.id * workers.length + index });
    }
    const sum = (of: (list: ProcessList) => number) => known.reduce((total, list) => total + of(list), 0);
    return {
      now: Math.max(0, ...known.map(({ now }) => now)),
      state,
      sort,
      total: sum(({ total }) => total),
      matched: sum(({ matched }) => matched),
      offset,
      limit,
      rows: selectedRows(selection),
    };
  }

  async close(id: number): Promise<{ readonly type: string } | undefined> {
    const workers = this.#workers();
    const answer = await workers[id % workers.length]?.request(`close ${Math.floor(id / workers.length)}`);
    return answer?.event === "closed" ? { type: String(answer.reason) } : undefined;
  }
}

interface ProcessList {
  readonly index: number;
  readonly now: number;
  readonly total: number;
  readonly matched: number;
  readonly connections: readonly ConnectionRow[];
}
