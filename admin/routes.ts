/** The paths of the admin server. @module */
import { MAX_ID, parseInteger, plainAction } from "./action.ts";
import { connectionPageText } from "./connection_page.ts";
import { parseConnectionQuery } from "./connection_query.ts";
import { eventStream } from "./event_stream.ts";
import { type GuardOptions, refuseRequest } from "./guard.ts";
import { pageAsset } from "./page/mod.ts";
import {
  type AdminRequest,
  type AdminResponse,
  errorResponse,
  JSON_HEADERS,
  jsonResponse,
  textResponse,
} from "./request.ts";
import type { ActionResult, AdminAction, AdminTarget } from "./target.ts";
import { printable } from "../internal/printable.ts";

/** Most pages that follow the program at the same time: each keeps a connection. */
const MAX_STREAMS = 32;

/** Options for {@linkcode Routes}. */
export interface RoutesOptions {
  readonly target: AdminTarget;
  readonly guard: GuardOptions;
  /** Called for each change that was made. */
  readonly onAction: (action: string) => void;
  /** Aborts when the program ends, which ends event streams. */
  readonly ended: AbortSignal;
}

/** Answers requests. */
export class Routes {
  readonly #target: AdminTarget;
  readonly #guard: GuardOptions;
  readonly #ended: AbortSignal;
  readonly #onAction: (action: string) => void;
  readonly #reads: Readonly<
    Record<string, (request: AdminRequest) => AdminResponse | Promise<AdminResponse>>
  >;
  #streams = 0;

  constructor({ target, guard, onAction, ended }: RoutesOptions) {
    this.#target = target;
    this.#guard = guard;
    this.#ended = ended;
    this.#onAction = onAction;
    this.#reads = {
      "/livez": () => textResponse(200, "ok"),
      "/readyz": () => this.#ready(),
      "/healthz": () => this.#health(),
      "/state": async () => jsonResponse(200, { event: "state", ...await target.state() }),
      "/info": () => this.#info(),
      "/metrics": () => this.#metrics(),
      "/events": (request) => this.#events(request),
      ...(target.limits === undefined ? {} : { "/limits": () => jsonResponse(200, target.limits!()) }),
      ...(target.connections === undefined
        ? {}
        : { "/connections": (request) => this.#connections(request) }),
    };
  }

  /** Answers a request. */
  async handle(request: AdminRequest): Promise<AdminResponse> {
    const { path } = request;
    const asset = pageAsset(path);
    const read = Object.hasOwn(this.#reads, path) ? this.#reads[path] : undefined;
    // Some paths are read by GET and changed by POST.
    const reads = read !== undefined && (request.method === "GET" || request.method === "HEAD");
    const action = reads ? undefined : this.#actionOf(path);
    const refusal = refuseRequest(request, action !== undefined, this.#guard);
    if (refusal !== undefined) return refusal;
    if (action !== undefined) {
      const { status = 200, body } = await action(request.query);
      if (status < 300) this.#onAction(describeAction(request));
      return jsonResponse(status, body);
    }
    return asset ?? await read?.(request) ?? errorResponse(404, "No such path");
  }

  #actionOf(path: string): AdminAction | undefined {
    const id = /^\/connections\/([^/]*)\/close$/.exec(path)?.[1];
    if (id !== undefined && this.#target.connections !== undefined) {
      return plainAction(() => this.#close(parseInteger(id, "id", { min: 0, max: MAX_ID })));
    }
    const name = path.slice(1);
    return Object.hasOwn(this.#target.actions, name) ? this.#target.actions[name] : undefined;
  }

  #ready(): AdminResponse {
    const reasons = this.#target.notReady();
    return reasons.length === 0 ? textResponse(200, "ok") : textResponse(503, reasons.join(", "));
  }

  #health(): AdminResponse {
    const { name, kind, version } = this.#target;
    const reasons = this.#target.notReady();
    return jsonResponse(200, { status: "ok", kind, name, version, ready: reasons.length === 0, reasons });
  }

  /** Data that the page needs before it draws itself. */
  #info(): AdminResponse {
    const { name, kind, version, actions, connections } = this.#target;
    const { isToken, reach } = this.#guard;
    return jsonResponse(200, {
      kind,
      name,
      version,
      actions: Object.keys(actions),
      connections: connections !== undefined,
      token: isToken !== undefined ? "required" : reach === "network" ? "missing" : "none",
    });
  }

  async #metrics(): Promise<AdminResponse> {
    const headers = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" };
    return { status: 200, headers, body: await this.#target.metrics() };
  }

  async #connections({ query }: AdminRequest): Promise<AdminResponse> {
    try {
      const page = await this.#target.connections!.list(parseConnectionQuery(query));
      return { status: 200, headers: JSON_HEADERS, body: connectionPageText(page) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return errorResponse(400, error.message);
    }
  }

  async #close(id: number): Promise<ActionResult> {
    const reason = await this.#target.connections?.close(id);
    return reason === undefined
      ? { status: 404, body: { error: `No open connection has the id ${id}` } }
      : { body: { closed: id, reason: reason.type } };
  }

  #events({ signal }: AdminRequest): AdminResponse {
    if (this.#streams >= MAX_STREAMS) {
      return errorResponse(503, `Too many pages are open: the limit is ${MAX_STREAMS}`);
    }
    const events = eventStream(this.#target.live, AbortSignal.any([signal, this.#ended]));
    return { status: 200, headers: { "Content-Type": "text/event-stream" }, body: this.#counted(events) };
  }

  async *#counted(events: AsyncIterable<string>): AsyncGenerator<string> {
    this.#streams++;
    try {
      yield* events;
    } finally {
      this.#streams--;
    }
  }
}

function describeAction({ path, query }: AdminRequest): string {
  const parameters = query.toString();
  return printable(`${path.slice(1)}${parameters === "" ? "" : ` ${parameters}`}`);
}
