/** A warning for a port that several processes share. @module */
import type { Log } from "../terminal/log.ts";
import { printable } from "../../internal/printable.ts";
import { TargetProcess } from "../../loadtest/torture/target_process.ts";

const MAX_COMMAND = 80;

/**
 * Warns about other processes that listen on `port`. Sharing a port hands a service over without a gap, but the OS spreads
 * new connections over all of them, and clients of one relay or chat cannot reach those of another. A second start by
 * mistake looks the same. Only Linux names the processes, and only those that this user may inspect.
 */
export function warnOfSharedPort(port: number, log: Log): void {
  // Listeners are found by port, on all addresses of this machine.
  const listening = TargetProcess.find({ hostname: "127.0.0.1", port })?.pids ?? [];
  const others = listening.filter((pid) => pid !== Deno.pid);
  if (others.length === 0) return;
  const names = others.map((pid) => `process ${pid} (${commandOf(pid)})`).join(" and ");
  log.warn(
    `Port ${port} is shared with ${names}: each new connection goes to one of these servers, and their clients ` +
      "cannot reach each other",
  );
}

/** Returns the command line of a process, shortened. */
function commandOf(pid: number): string {
  try {
    const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();
    return printable(words, MAX_COMMAND);
  } catch (error) {
    const { NotFound, PermissionDenied, NotCapable } = Deno.errors;
    if ([NotFound, PermissionDenied, NotCapable].some((kind) => error instanceof kind)) {
      return "unknown command";
    }
    throw error;
  }
}
