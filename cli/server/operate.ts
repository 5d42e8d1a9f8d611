/** Operates a running service through signals and the control channel. @module */
import type { Context } from "../run_program.ts";
import { ExitError, ReaderGoneError } from "../terminal/exit.ts";
import type { ServiceControl, ServiceMonitor } from "../../admin/service/service_monitor.ts";
import { Log } from "../terminal/log.ts";
import { answerControl } from "./control_channel.ts";
import { SuspendControl } from "./suspend.ts";
import { describeAborted, describeLeaks } from "./shutdown_report.ts";
import type { LiveLimits } from "./live_limits.ts";
import type { Reload, RunningService } from "./service_command.ts";

/** Options for {@linkcode operate}. */
export interface OperateOptions extends Pick<Context, "onSignal"> {
  readonly log: Log;
  /** Whether commands on stdin are answered. */
  readonly control: boolean;
  /**
   * With `control`, whether the service also drains when stdin ends or nothing reads stdout, because the process that sent
   * commands has gone.
   */
  readonly untilStdinEnds: boolean;
  /** Watches this process for the admin server of another one. Default: there is none. */
  readonly monitor?: ServiceMonitor | undefined;
  /** Limits that can change while the service runs; `undefined` if there are none. */
  readonly limits: LiveLimits | undefined;
  /** Returns whether the terminal of the program has hung up. */
  readonly hungUp: () => boolean;
  /** Reloads the files that the service can reload; `undefined` if there are none. */
  readonly reload: Reload | undefined;
  /** Called when the service begins to drain. */
  readonly onDraining?: () => void;
  /**
   * Called when the service can be controlled. Its result is disposed of when the service has ended; if it rejects, the
   * service closes.
   */
  readonly begin?: (control: ServiceControl) => Promise<AsyncDisposable | undefined>;
}

/**
 * Operates a service until it has ended, and warns about what it had to cut off.
 *
 * @throws {ExitError} If an OS error stopped it, for example because accepting failed permanently, or if it still holds
 * something when it has ended. Any other error is a bug, and is thrown unchanged.
 */
export async function operate(service: RunningService, options: OperateOptions): Promise<void> {
  const { log, onSignal, control, untilStdinEnds, hungUp } = options;
  const gate = new SuspendControl(service);
  const { limits } = options;
  const failed = Promise.withResolvers<never>();
  // The first signal drains, and the second closes immediately. Both end with a closed service.
  const endings: Promise<void>[] = [];
  const end = (cause: string) => {
    const draining = endings.length > 0;
    if (!draining) options.onDraining?.();
    const event = draining ? "closing" : "draining";
    // Otherwise, each of several processes would say the same as the one that controls them.
    if (!untilStdinEnds) {
      log.info(draining ? "{cause}: closing immediately" : "{cause}: draining; repeat to close immediately", {
        event,
        cause,
      });
    }
    gate.end();
    const ending = draining ? service.close() : service.shutdown();
    ending.catch(failed.reject);
    endings.push(ending);
  };
  onSignal(["SIGINT", "SIGTERM"], end);
  onSignal(["SIGHUP"], (signal) => {
    if (!hungUp()) read(signal, options);
    // A shell that hangs up may send SIGHUP in addition to the OS. The second one has no further effect.
    else if (endings.length === 0) end(signal);
  });
  onSignal(
    ["SIGUSR2"],
    (signal) =>
      toggle(gate)
        .then((text) => log.info("{cause}: {text}", { event: "toggled", cause: signal, text }))
        .catch(failed.reject),
  );
  if (control) {
    const answered = answerControl(service, { gate, limits, monitor: options.monitor });
    (untilStdinEnds ? answered.catch(ignoreGone).then(() => service.shutdown()) : answered)
      .catch(failed.reject);
  }
  await using _ = await begin(service, options, {
    suspend: async () => await gate.suspend(),
    resume: async () => await gate.resume(),
    limits,
    drain: () => endings.length === 0 ? end("Admin") : undefined,
    get draining() {
      return endings.length > 0;
    },
  });
  try {
    await Promise.race([service.finished, failed.promise]);
    await Promise.all(endings); // They may still have a timer to cancel.
  } catch (cause) {
    if (!(cause instanceof Error) || !isSystemCode(Reflect.get(cause, "code"))) throw cause;
    throw new ExitError(`Cannot keep serving: ${cause.message}`, { cause });
  }
  const stats = service.stats();
  if (control && untilStdinEnds) {
    reportEnd(stats, options.monitor);
  }
  // Each process of several reports this of itself.
  const cut = service.processes === undefined ? describeAborted(stats) : undefined;
  if (cut !== undefined) log.warn("Not everything ended cleanly: {cut}", { event: "cut", cut });
  const left = describeLeaks(stats);
  if (left !== undefined) throw new ExitError(`Ended, but this is left: ${left}`);
}

/** Reports the last state to the process that sends commands, unless that has gone. */
function reportEnd(state: object, monitor: ServiceMonitor | undefined): void {
  const figures = monitor && { figures: monitor.figures() };
  try {
    new Log({ json: true, quiet: true }).result("", { event: "ended", state, ...figures });
  } catch (error) {
    ignoreGone(error);
  }
}

/** Throws an error unless it says that nothing reads the output. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof ReaderGoneError)) throw error;
}

async function begin(
  service: RunningService,
  options: OperateOptions,
  control: ServiceControl,
): Promise<AsyncDisposable | undefined> {
  try {
    return await options.begin?.(control);
  } catch (error) {
    await service.close();
    throw error;
  }
}

/** Reloads on SIGHUP, as daemons do. */
function read(signal: Deno.Signal, { log, reload }: OperateOptions): void {
  if (reload === undefined) log.info(`${signal}: no certificate to reload`);
  else reload(signal);
}

/** Returns whether a value is an error code of the OS, such as `EINVAL`. */
function isSystemCode(code: unknown): boolean {
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code);
}

async function toggle(gate: SuspendControl): Promise<string> {
  const { suspended } = gate;
  const why = await (suspended ? gate.resume() : gate.suspend());
  return why ?? (suspended ? "accepting again" : "accepting is suspended; repeat to resume");
}
