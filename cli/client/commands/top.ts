/** `client.ts top`, the connections of a server in the terminal. @module */
import type { AdminAnswer } from "../../../admin/client.ts";
import { formatAddress } from "../../../socket/network.ts";
import type { Context } from "../../run_program.ts";
import { ExitCode, ExitError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { hasColor } from "../../terminal/write.ts";
import { address, choice, duration, flag, group, integer, text } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { type CommandInput, outputOptions, type ServiceClient } from "../client_command.ts";
import { TOP_COLUMNS, type TopColumn } from "../top_columns.ts";
import type { TopSnapshot } from "../top_view.ts";

const COLUMNS = Object.keys(TOP_COLUMNS) as [TopColumn, ...TopColumn[]];

const options = {
  ...group("Admin", {
    admin: address({ help: "Admin server of the server to watch", required: true }),
  }),
  ...group("View", {
    sort: choice(COLUMNS, { help: "Sort connections by this", default: "bytes_in", placeholder: "COLUMN" }),
    order: choice(["asc", "desc"], { help: "Order", defaultText: "desc, but asc for id and address" }),
    limit: integer({ help: "Longest list without a terminal", default: 20, min: 1, max: 10_000 }),
    address: text({ help: "Only connections whose address contains this" }),
    interval: duration({ help: "Time between two looks", default: 2000, min: 100 }),
    once: flag({ help: "Print one list and exit, as without a terminal" }),
  }),
  ...outputOptions,
};

const TIMEOUT = 5000;

type Query = Pick<Values<typeof options>, "admin" | "address"> & {
  readonly sort: TopColumn;
  readonly order: "asc" | "desc";
  readonly limit: number;
};

/** The command. */
export const top = {
  summary: "Show the connections of a server, from its admin server",
  options,
  examples: [
    ["top --admin 127.0.0.1:9000", "Connections of a server, those that sent most first"],
    ["top --admin unix:/run/okline/admin --sort idle --once", "Print the idle ones once"],
  ],
  async run({ options: values }: CommandInput<typeof options>, { onSignal }: Context): Promise<ExitCode> {
    const query: Query = { ...values, order: values.order ?? firstOrder(values.sort) };
    const screen = !values.once && !values.json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
    if (screen) await watch(query, values.interval, onSignal);
    else {
      const snapshot = await read(query);
      if (typeof snapshot === "string") throw new ExitError(snapshot);
      const { health, state, list } = snapshot;
      const { topView } = await loadView();
      new Log({ json: values.json, quiet: true }).result(topView(snapshot, query), {
        event: "top",
        health,
        state,
        list,
      });
    }
    return ExitCode.ok;
  },
} as const satisfies ServiceClient;

/** Loads the view when it is needed: no other client needs its package for tables. */
async function loadView(): Promise<typeof import("../top_view.ts")> {
  return await import("../top_view.ts");
}

/** The order that shows the interesting end first. */
function firstOrder(sort: TopColumn): "asc" | "desc" {
  return sort === "id" || sort === "address" || sort === "since" ? "asc" : "desc";
}

/** Shows the list until a key or a signal ends it. */
async function watch(first: Query, interval: number, onSignal: Context["onSignal"]): Promise<void> {
  const { TopScreen } = await import("../top_screen.ts");
  const { TOP_FRAME, topView } = await loadView();
  const ended = Promise.withResolvers<void>();
  onSignal(["SIGINT", "SIGTERM", "SIGHUP"], () => ended.resolve());
  using screen = new TopScreen();
  let query = first;
  let before: TopSnapshot | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let looking = 0;
  const look = async (): Promise<void> => {
    clearTimeout(timer);
    const mine = ++looking;
    const snapshot = await read({ ...query, limit: Math.max(1, screen.rows - TOP_FRAME) });
    if (mine !== looking) return; // A key has asked for another list.
    if (typeof snapshot === "string") screen.draw(`${snapshot}\n\nTrying again. ${HELP}`);
    else {
      const color = hasColor(Deno.stdout);
      screen.draw(`${topView(snapshot, { ...query, before, color })}\n${HELP}`);
      before = snapshot;
    }
    timer = setTimeout(() => void look().catch(ended.reject), interval);
  };
  const press = async (): Promise<void> => {
    for await (const key of screen.keys()) {
      if (key === "quit") break;
      query = { ...query, ...changed(query, key) };
      await look();
    }
    ended.resolve();
  };
  press().catch(ended.reject);
  look().catch(ended.reject);
  await ended.promise;
  looking++;
  clearTimeout(timer);
}

const HELP = "q: quit   < >: sort by another column   r: reverse";

function changed({ sort, order }: Query, key: "next" | "previous" | "reverse"): Partial<Query> {
  if (key === "reverse") return { order: order === "asc" ? "desc" : "asc" };
  const step = key === "next" ? 1 : COLUMNS.length - 1;
  const next = COLUMNS[(COLUMNS.indexOf(sort) + step) % COLUMNS.length]!;
  return { sort: next, order: firstOrder(next) };
}

/** Reads a snapshot. Returns why that is impossible, if it is. */
async function read({ admin, sort, order, limit, address: part }: Query): Promise<TopSnapshot | string> {
  const { readAdmin } = await import("../../../admin/client.ts");
  const parameters = new URLSearchParams({ sort, order, limit: `${limit}` });
  if (part !== undefined) parameters.set("address", part);
  const cannot = `Cannot read the connections of ${formatAddress(admin)}`;
  let answers: AdminAnswer[];
  try {
    answers = await Promise.all(
      ["/healthz", "/state", `/connections?${parameters}`].map((path) => readAdmin(admin, path, TIMEOUT)),
    );
  } catch (error) {
    return `${cannot}: ${error instanceof Error ? error.message : error}`;
  }
  const [health, state, list] = answers as [AdminAnswer, AdminAnswer, AdminAnswer];
  const why = problemOf(health.status, list.status);
  if (why !== undefined) return `${cannot}: ${why}`;
  return { at: Date.now(), health: health.value, state: state.value, list: list.value };
}

function problemOf(health: number, list: number): string | undefined {
  if (health === 200 && list === 404) return "this program serves none";
  return health === 200 && list === 200
    ? undefined
    : `the answer has status ${health === 200 ? list : health}`;
}
