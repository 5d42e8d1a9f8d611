/** Logs the events of a service, and counts them for the admin server. @module */
import { plural } from "../../internal/plural.ts";
import { printable } from "../../internal/printable.ts";
import type { EndedConnection } from "../../services/service.ts";
import { type CloseReason, describeCloseReason } from "../../socket/errors.ts";
import type { ListenerEvent, ListenerHooks } from "../../socket/listener/event.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import type { ServiceHost } from "./service_command.ts";

/** Returns the hooks of a service. What peers do is logged for debugging. */
export function logListener({ log, monitor }: ServiceHost): Required<ListenerHooks<EndedConnection>> {
  const onError = (error: Error, connection?: EndedConnection) => {
    const fields = { event: "failed", error: describeFailure(error) };
    if (connection === undefined) log.error("Continuing after an error: {error}", fields);
    else log.error("Cannot serve {peer}: {error}", { ...fields, ...peerOf(connection) });
  };
  const onEvent = (event: ListenerEvent<EndedConnection>) => {
    switch (event.type) {
      case "not-bound":
        // Any other error means that the machine has no such address, or that permissions exclude it.
        if (!(event.cause instanceof Deno.errors.AddrInUse)) break;
        log.warn(
          "Not listening on {host}: another program uses the port there, and clients of localhost may reach it instead",
          { event: "not-bound", host: event.hostname },
        );
        break;
      case "exhausted":
        monitor?.exhausted(true);
        log.warn("Out of file descriptors: accepting pauses until some are free", { event: "exhausted" });
        break;
      case "recovered":
        monitor?.exhausted(false);
        log.info("Accepting again", { event: "recovered" });
        break;
      case "refused": {
        const { remote, refusal: { limit, why } } = event;
        // For debugging, every one of them; otherwise, that it happens.
        const level = log.writes("debug") ? "debug" : "warn";
        log[level]("{peer} refused, {why}", { event: "refused", peer: named(remote), limit, why });
        break;
      }
      case "closed": {
        const { connection, reason } = event;
        monitor?.closed(connection, reason);
        // `onError` logs the end of a connection that could not be served.
        if (reason.type !== "handler-failed" && log.writes("debug")) {
          const { bytesIn, bytesOut } = connection.stats();
          const end = { reason: reason.type, detail: printable(describeCloseReason(reason)) };
          log.debug("{peer} closed, {detail}; {received} in, {bytesOut} out", {
            event: "closed",
            ...peerOf(connection),
            ...end,
            bytesIn,
            bytesOut,
            received: plural(bytesIn, "byte"),
          });
        }
      }
    }
  };
  return { onEvent, onError };
}

function peerOf({ id, remote }: EndedConnection): { readonly connection: number; readonly peer: string } {
  return { connection: id, peer: named(remote) };
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
