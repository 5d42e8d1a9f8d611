/** A relay and its admin server, for tests. @module */
import { startAdmin } from "../../../admin/mod.ts";
import type { AdminOptions, AdminServer, AdminTarget, ServiceControl } from "../../../admin/mod.ts";
import { ServiceMonitor } from "../../../admin/mod.ts";
import { type RelayServer, startRelay } from "../../../relay/server.ts";
import type { RelayServerOptions } from "../../../relay/server_options.ts";

/** A relay with an admin server. */
export interface WatchedRelay extends AsyncDisposable {
  readonly relay: RelayServer;
  readonly admin: AdminServer;
  readonly monitor: ServiceMonitor;
  readonly errors: readonly Error[];
  readonly target: AdminTarget;
}

/** Starts a relay, and an admin server, by default on a free port of 127.0.0.1. */
export async function startWatchedRelay(
  options: Partial<AdminOptions> & { readonly relay?: RelayServerOptions } = {},
): Promise<WatchedRelay> {
  const monitor = new ServiceMonitor({ name: "relay", version: "1.2.3" });
  const relay = startRelay({
    ackTimes: monitor.ackTimes,
    onEvent: (event) => {
      if (event.type === "closed") monitor.closed(event.connection, event.reason);
      else if (event.type === "exhausted" || event.type === "recovered") {
        monitor.exhausted(event.type === "exhausted");
      }
    },
    ...options.relay,
  });
  let ending: Promise<void> | undefined;
  const control: ServiceControl = {
    suspend: () => Promise.resolve(relay.suspend() as undefined),
    resume: () => Promise.resolve(relay.resume() as undefined),
    drain: () => void (ending ??= relay.shutdown()),
    get draining() {
      return ending !== undefined;
    },
  };
  const errors: Error[] = [];
  const target = monitor.watch(relay, control);
  const admin = await startAdmin({
    address: { hostname: "127.0.0.1", port: 0 },
    target,
    onError: (error) => errors.push(error),
    ...options,
  });
  return {
    relay,
    admin,
    monitor,
    errors,
    target,
    async [Symbol.asyncDispose]() {
      await relay.close();
      await ending;
      await admin.close();
      monitor[Symbol.dispose]();
    },
  };
}
