/** The admin server: health checks, metrics, connections, control, and a live page. @module */
export { type AdminOptions, type AdminServer, startAdmin } from "./server.ts";
export type { HttpLimits } from "./http_listener.ts";
export { formatConnectionQuery, parseConnectionQuery } from "./connection_query.ts";
export type { ConnectionQuery } from "./connection_query.ts";
export type { ConnectionPage } from "./connection_page.ts";
export type { ConnectionRow } from "./connection_row.ts";
export { PageSelection, selectedRows } from "./page_selection.ts";
export type { ActionResult, AdminAction, AdminTarget, ConnectionList, LiveFeed } from "./target.ts";
export {
  type MonitoredProcesses,
  type MonitoredService,
  type MonitorFigures,
  type ServiceControl,
  type ServiceLimits,
  ServiceMonitor,
} from "./service/service_monitor.ts";
export { type AdminAnswer, type JsonObject, readAdmin, readState } from "./client.ts";
export { LoadTestMonitor, type LoadTestPhase, type LoadTestSample } from "./loadtest/load_test_monitor.ts";
