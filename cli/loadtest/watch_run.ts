/** The admin server of a load test, and its export. Loaded only with `--admin`, or when Deno exports. @module */
import { LoadTestMonitor } from "../../admin/mod.ts";
import type { RunControl } from "../../loadtest/pace/run_control.ts";
import { VERSION } from "../run_program.ts";
import type { Values } from "../args/program.ts";
import type { adminOptions } from "../shared/admin_options.ts";
import { hostAdmin } from "../shared/admin_host.ts";
import { createTelemetry } from "../shared/create_telemetry.ts";
import type { Log } from "../terminal/log.ts";

/** A load test that is watched. */
export interface WatchedRun extends AsyncDisposable {
  readonly monitor: LoadTestMonitor;
}

/**
 * Watches a load test, and starts its admin server if it has an address.
 *
 * @param clients How many clients the plan has.
 * @throws {ExitError} If its address cannot be bound.
 */
export async function watchRun(
  clients: number,
  values: Values<typeof adminOptions>,
  { log, control, stop }: { readonly log: Log; readonly control: RunControl; readonly stop: () => void },
): Promise<WatchedRun> {
  const telemetry = await createTelemetry({ name: "loadtest", version: VERSION });
  const monitor = new LoadTestMonitor({ version: VERSION, clients, control, stop, telemetry });
  try {
    const server = await hostAdmin(values, monitor.target, log);
    return {
      monitor,
      async [Symbol.asyncDispose]() {
        monitor[Symbol.dispose]();
        await server?.close();
      },
    };
  } catch (error) {
    monitor[Symbol.dispose]();
    throw error;
  }
}
