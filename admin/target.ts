/** The interface between the admin server and the program that it shows and controls. @module */
import type { ConnectionPage } from "./connection_page.ts";
import type { ConnectionQuery } from "./connection_query.ts";

/** The result of an action, sent as JSON. */
export interface ActionResult {
  /** HTTP status. Default 200. */
  readonly status?: 200 | 202 | 400 | 404 | 409;
  readonly body: object;
}

/** Changes something in a running program. Arguments come from the query of the request. */
export type AdminAction = (query: URLSearchParams) => ActionResult | Promise<ActionResult>;

/** Open and closed connections, of one process or of several. */
export interface ConnectionList {
  /** Returns the part of the list that a query asks for. */
  list(query: ConnectionQuery): Promise<ConnectionPage>;
  /** Closes a connection after telling it why. Resolves to the reason, or to `undefined` if it is not open. */
  close(id: number): Promise<{ readonly type: string } | undefined>;
}

/** A running program as the admin server sees it. */
export interface AdminTarget {
  readonly kind: "server" | "loadtest";
  /** Name of the service, such as `relay`. */
  readonly name: string;
  readonly version: string;
  /** The same data as `state` on the control channel: as of the call or later, never older. */
  state(): object | Promise<object>;
  /** Why the program cannot take new work, such as `draining`; empty if it can. */
  notReady(): readonly string[];
  /** Its open and closed connections; `undefined` if it serves none. */
  readonly connections?: ConnectionList | undefined;
  /** Limits that can change while the service runs, by option name; absent if there are none. */
  readonly limits?: () => object;
  /** Changes that an operator can make, by the last part of the path: `POST /suspend`. */
  readonly actions: Readonly<Record<string, AdminAction>>;
  /** Figures for the page, sampled once per second. */
  readonly live: LiveFeed;
  /** All metrics in the text format of Prometheus. */
  metrics(): Promise<string>;
}

/** Samples of a program over time. */
export interface LiveFeed {
  /** Samples of the last minutes, the oldest first. */
  readonly history: readonly object[];
  /** Calls `take` with each new sample until the returned object is disposed of. */
  subscribe(take: (sample: object) => void): Disposable;
}
