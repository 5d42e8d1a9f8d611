/** The admin server of a service. Loaded only with `--admin`. @module */
import { type AdminServer, type ServiceControl, ServiceMonitor } from "../../admin/mod.ts";
import type { Values } from "../args/program.ts";
import { hasTelemetry, samplingRatio } from "./telemetry_environment.ts";
import { VERSION } from "../run_program.ts";
import type { adminOptions } from "../shared/admin_options.ts";
import { hostAdmin } from "../shared/admin_host.ts";
import type { Log } from "../terminal/log.ts";
import type { RunningService } from "./service_command.ts";

/** Creates the monitor of a service before it starts. Exports it through OpenTelemetry if Deno does. */
export async function createMonitor(name: string): Promise<ServiceMonitor> {
  const build = { name, version: VERSION };
  if (!hasTelemetry()) return new ServiceMonitor(build);
  const { Telemetry } = await import("../../admin/telemetry/telemetry.ts");
  return new ServiceMonitor(build, {
    telemetry: new Telemetry({ ...build, ratio: samplingRatio(), seed: 0 }),
  });
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
