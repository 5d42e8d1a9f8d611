/** The admin server: health checks, metrics, connections, control, and a live page. @module */
export { type AdminOptions, type AdminServer, startAdmin } from "./server.ts";
export type { HttpLimits } from "./http_listener.ts";
export type { ActionResult, AdminAction, AdminTarget, LiveFeed } from "./target.ts";
export {
  type MonitoredService,
  type ServiceControl,
  type ServiceLimits,
  ServiceMonitor,
} from "./service/service_monitor.ts";
export { type AdminAnswer, type JsonObject, readAdmin, readState } from "./client.ts";
export { LoadTestMonitor, type LoadTestPhase, type LoadTestSample } from "./loadtest/load_test_monitor.ts";
