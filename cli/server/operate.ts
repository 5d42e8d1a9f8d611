/** What an operator can do to a running service: signals, and the control channel. @module */
import type { Context } from "../run_program.ts";
import { ExitError } from "../terminal/exit.ts";
import type { ServiceControl } from "../../admin/service/service_monitor.ts";
import type { Log } from "../terminal/log.ts";
import { answerControl } from "./control_channel.ts";
import { SuspendControl } from "./suspend.ts";
import { describeAborted, describeLeaks } from "./shutdown_report.ts";
import type { LiveLimits } from "./live_limits.ts";
import type { Reload, RunningService } from "./service_command.ts";

/** What {@linkcode operate} needs besides the service. */
export interface OperateOptions extends Pick<Context, "onSignal"> {
  readonly log: Log;
  /** Answer commands on stdin. */
  readonly control: boolean;
  /** With `control`: close, too, when stdin ends, because whoever asked there is gone. */
  readonly untilStdinEnds: boolean;
  /** Limits that can change while the service runs; `undefined` if it has none. */
  readonly limits: LiveLimits | undefined;
  /** Whether the terminal that the program was started at is gone. */
  readonly hungUp: () => boolean;
  /** Reads again what the service can read while it runs; `undefined` where that is nothing. */
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
 * Lets a service be operated until it has ended. Warns of what it had to cut off.
 *
 * @throws {ExitError} When it failed for a reason of the system's, such as accepting that fails for good, or still holds
 * something when it has ended; with any other error as it is, for that is a mistake of the program's own.
 */
export async function operate(service: RunningService, options: OperateOptions): Promise<void> {
  const { log, onSignal, control, untilStdinEnds, hungUp } = options;
  const gate = new SuspendControl(service);
  const { limits } = options;
  const failed = Promise.withResolvers<never>();
  // The first signal drains, the second closes now; either way the service ends by being closed.
  const endings: Promise<void>[] = [];
  const end = (cause: string) => {
    const draining = endings.length > 0;
    if (!draining) options.onDraining?.();
    const event = draining ? "closing" : "draining";
    log.info(draining ? "{cause}: closing now" : "{cause}: draining; once more to close now", {
      event,
      cause,
    });
    gate.end();
    const ending = draining ? service.close() : service.shutdown();
    ending.catch(failed.reject);
    endings.push(ending);
  };
  onSignal(["SIGINT", "SIGTERM"], end);
  onSignal(["SIGHUP"], (signal) => {
    if (!hungUp()) read(signal, options);
    // A shell that hangs up may send it as well as the system: the second one does not mean more than the first.
    else if (endings.length === 0) end(signal);
  });
  onSignal(
    ["SIGUSR2"],
    (signal) => log.info("{cause}: {text}", { event: "toggled", cause: signal, text: toggle(gate) }),
  );
  if (control) {
    answerControl(service, { gate, limits }).then(() => untilStdinEnds ? service.shutdown() : undefined)
      .catch(
        failed.reject,
      );
  }
  await using _ = await begin(service, options, {
    suspend: () => gate.suspend(),
    resume: () => gate.resume(),
    limits,
    drain: () => endings.length === 0 ? end("Admin") : undefined,
    get draining() {
      return endings.length > 0;
    },
  });
  try {
    await Promise.race([service.finished, failed.promise]);
    await Promise.all(endings); // Which may still have a timer to cancel.
  } catch (cause) {
    if (!(cause instanceof Error) || !isSystemCode(Reflect.get(cause, "code"))) throw cause;
    throw new ExitError(`Cannot go on serving: ${cause.message}`, { cause });
  }
  const stats = service.stats();
  const cut = describeAborted(stats);
  if (cut !== undefined) log.warn("Not all ended in order: {cut}", { event: "cut", cut });
  const left = describeLeaks(stats);
  if (left !== undefined) throw new ExitError(`Ended, but something is left: ${left}`);
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

/** What a daemon does at SIGHUP. */
function read(signal: Deno.Signal, { log, reload }: OperateOptions): void {
  if (reload === undefined) log.info(`${signal}: there is no certificate to read again`);
  else reload(signal);
}

/** `EINVAL` and the like. */
function isSystemCode(code: unknown): boolean {
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code);
}

function toggle(gate: SuspendControl): string {
  const { suspended } = gate;
  const why = suspended ? gate.resume() : gate.suspend();
  return why ?? (suspended ? "accepting again" : "accepting is suspended; once more to resume");
}
