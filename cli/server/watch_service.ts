/** The admin server of a service. Loaded only with `--admin`. @module */
import { type AdminServer, type ServiceControl, ServiceMonitor } from "../../admin/mod.ts";
import type { Values } from "../args/program.ts";
import { VERSION } from "../run_program.ts";
import type { adminOptions } from "../shared/admin_options.ts";
import { hostAdmin } from "../shared/admin_host.ts";
import { createTelemetry } from "../shared/create_telemetry.ts";
import type { Log } from "../terminal/log.ts";
import type { RunningService } from "./service_command.ts";

/** Creates the monitor of a service before it starts. Exports it through OpenTelemetry if Deno does. */
export async function createMonitor(name: string): Promise<ServiceMonitor> {
  const build = { name, version: VERSION };
  return new ServiceMonitor(build, { telemetry: await createTelemetry(build) });
}

/** Starts the admin server of a running service. */
export function watchService(
  service: RunningService,
  { monitor, control, options, log }: {
    readonly monitor: ServiceMonitor;
    readonly control: ServiceControl;
    readonly options: Values<typeof adminOptions>;
    readonly log: Log;
  },
): Promise<AdminServer | undefined> {
  return hostAdmin(options, monitor.watch(service, control), log);
}
