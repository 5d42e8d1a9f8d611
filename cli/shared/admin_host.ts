/** The admin server of a program. Loaded only with `--admin`, because its packages take time to load. @module */
import { type AdminServer, type AdminTarget, startAdmin } from "../../admin/mod.ts";
import { formatAddress } from "../../socket/network.ts";
import { printable } from "../../internal/printable.ts";
import type { Values } from "../args/program.ts";
import { ExitError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import type { adminOptions } from "./admin_options.ts";

/**
 * Starts the admin server that the options ask for, and prints where it listens.
 *
 * @throws {ExitError} If its address cannot be bound.
 */
export async function hostAdmin(
  { admin, adminToken, adminName }: Values<typeof adminOptions>,
  target: AdminTarget,
  log: Log,
): Promise<AdminServer | undefined> {
  if (admin === undefined) return undefined;
  let server: AdminServer;
  try {
    server = await startAdmin({
      address: admin,
      target,
      token: adminToken,
      hosts: adminName,
      onError: (error) =>
        log.error("Admin server: {error}", {
          event: "admin-failed",
          error: printable(error.stack ?? error.message, 2000),
        }),
      onAction: (action) => log.info("Admin: {action}", { event: "admin-action", action }),
    });
  } catch (cause) {
    if (!(cause instanceof Error) || !isStartError(cause)) throw cause;
    const why = Reflect.get(cause, "code") === "EADDRINUSE"
      ? "the port is in use; choose another with --admin, such as 0 for a free one"
      : cause.message;
    throw new ExitError(`Cannot start the admin server at ${formatAddress(admin)}: ${why}`, { cause });
  }
  const { hostname, port } = server.address;
  log.result(`admin on ${formatAddress(server.address)}`, { event: "admin", host: hostname, port });
  return server;
}

/** Whether the OS or Deno's permissions prevent the start, which is not a bug of the program. */
function isStartError(cause: Error): boolean {
  return Reflect.get(cause, "code") !== undefined || cause instanceof Deno.errors.NotCapable;
}
