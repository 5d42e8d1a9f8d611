/** Control lines that the first process of a server sends to the others, for its admin server. @module */
import { parseConnectionQuery } from "../../admin/connection_query.ts";
import type { ServiceMonitor } from "../../admin/service/service_monitor.ts";
import type { ControlReply } from "./control_channel.ts";

/**
 * Answers `connections QUERY`, `close ID`, and `figures`.
 *
 * @returns `undefined` for any other line.
 */
export function answerMonitorCommand(
  line: string,
  monitor: Pick<ServiceMonitor, "connections" | "figures">,
): Promise<ControlReply> | undefined {
  const [command, argument = ""] = line.split(" ", 2);
  if (command === "connections") return listConnections(argument, monitor);
  if (command === "close" && /^(0|[1-9]\d{0,14})$/.test(argument)) {
    return closeConnection(Number(argument), monitor);
  }
  if (line === "figures") return Promise.resolve({ event: "figures", ...monitor.figures() });
  return undefined;
}

async function listConnections(
  query: string,
  { connections }: Pick<ServiceMonitor, "connections">,
): Promise<ControlReply> {
  try {
    const { rows, ...page } = await connections.list(parseConnectionQuery(new URLSearchParams(query)));
    return { event: "connections", ...page, connections: [...rows] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { event: "error", message: error.message };
  }
}

async function closeConnection(
  id: number,
  { connections }: Pick<ServiceMonitor, "connections">,
): Promise<ControlReply> {
  const reason = await connections.close(id);
  return reason === undefined
    ? { event: "error", message: `No open connection has the id ${id}` }
    : { event: "closed", id, reason: reason.type };
}
