/** Logs the events of a service, and counts them for the admin server. @module */
import { plural } from "../../internal/plural.ts";
import { printable } from "../../internal/printable.ts";
import type { EndedConnection } from "../../services/service.ts";
import { type CloseReason, describeCloseReason } from "../../socket/errors.ts";
import type { ListenerEvent, ListenerHooks } from "../../socket/listener_event.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import type { ServiceHost } from "./service_command.ts";

/** Returns the hooks of a service. With `verbose`, they also log what peers do. */
export function logListener(
  { log, monitor }: ServiceHost,
  { verbose }: { readonly verbose: boolean },
): Required<ListenerHooks<EndedConnection>> {
  const onError = (error: Error, connection?: EndedConnection) => {
    const cause = describeFailure(error);
    if (connection === undefined) log.error(`Serving goes on after an error: ${cause}`);
    else log.error(`Cannot serve ${named(connection.remote)}: ${cause}`);
  };
  const onEvent = (event: ListenerEvent<EndedConnection>) => {
    switch (event.type) {
      case "not-bound":
        // Any other error means that the machine has no such address, or that permissions exclude it.
        if (!(event.cause instanceof Deno.errors.AddrInUse)) break;
        log.warn(
          `Not listening on ${event.hostname}: another program uses the port there, and clients of localhost may reach it instead`,
        );
        break;
      case "exhausted":
        monitor?.exhausted(true);
        log.warn("Out of file descriptors: accepting pauses until some are free");
        break;
      case "recovered":
        monitor?.exhausted(false);
        log.info("Accepting again");
        break;
      case "refused":
        if (verbose) log.info(`${named(event.remote)} refused, ${event.refusal.why}`);
        break;
      case "closed": {
        const { connection, reason } = event;
        monitor?.closed(connection, reason);
        if (reason.type === "handler-failed") {
          onError(reason.error, connection);
        } else if (verbose) {
          const { bytesIn, bytesOut } = connection.stats();
          log.info(`${closing(connection.remote, reason)}; ${plural(bytesIn, "byte")} in, ${bytesOut} out`);
        }
      }
    }
  };
  return { onEvent, onError };
}

/** Returns the log message for the end of a connection. */
export function closing(remote: Address, reason: CloseReason): string {
  return `${named(remote)} closed, ${printable(describeCloseReason(reason))}`;
}

/** Returns a peer's address for the log. It may come from a proxy header, so it is escaped. */
function named(remote: Address): string {
  return printable(formatAddress(remote));
}

/** Returns an internal error with its stack trace, which shows where it comes from. */
function describeFailure(error: Error): string {
  return (error.stack ?? error.message).split("\n").map((line) => printable(line)).join("\n");
}
