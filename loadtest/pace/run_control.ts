/** Control over a running load test: pause, resume, and the rate of new work. @module */
import { Pace, type PaceSetting } from "./pace.ts";
import { rateAt, type RunStage, stageAt } from "./run_stages.ts";

/** A run that can be controlled. */
export interface ControlledRun {
  /** The stages of its plan. */
  readonly stages: readonly RunStage[];
  /** ms since the run began. */
  readonly now: () => number;
  /** Notifies the generators. */
  readonly apply: (setting: PaceSetting, now: number) => void;
}

/** The pace of a run, for people who watch it. */
export interface PaceState extends PaceSetting {
  /** Starts per second at this moment, as planned times the speed; `null` if nothing starts at a rate. */
  readonly rate: number | null;
  /** Index of the stage that the run is in. */
  readonly stage: number;
  /** Time since that stage began, in ms of the plan. */
  readonly stageElapsed: number;
}

/** A change is impossible now. */
export class RunControlError extends Error {
  /** Always `RunControlError`. */
  override readonly name = "RunControlError";
}

/** The lowest and the highest speed. */
const SPEEDS = [0.01, 100] as const;

/**
 * Changes the pace of a run. In a pause, nothing new starts: no client, and no message of a scenario. What has started
 * goes on. All later instants of the plan move with each change, so a pause is not lag.
 */
export class RunControl {
  #run: ControlledRun | undefined;
  #pace: Pace | undefined;
  #ended = false;

  /** Called by `runPlan` when the run begins. Returns the pace, which changes with every command. */
  begin(run: ControlledRun): Pace {
    const last = run.stages.at(-1);
    this.#run = run;
    this.#pace = new Pace(last?.begin ?? 0);
    return this.#pace;
  }

  /** Called by `runPlan` when the clients have ended. */
  end(): void {
    this.#ended = true;
  }

  /** The stages of the run; empty before it begins. */
  get stages(): readonly RunStage[] {
    return this.#run?.stages ?? [];
  }

  /** The pace now; `undefined` before the run. */
  get state(): PaceState | undefined {
    if (this.#run === undefined || this.#pace === undefined) return undefined;
    const { paused, speed } = this.#pace;
    const planTime = this.#pace.planTime(this.#run.now());
    const planned = rateAt(this.stages, planTime);
    const stage = stageAt(this.stages, planTime);
    return {
      paused,
      speed,
      rate: planned === null ? null : paused ? 0 : planned * speed,
      stage,
      stageElapsed: Math.max(0, planTime - (this.stages[stage]?.begin ?? 0)),
    };
  }

  /** Pauses the run. @throws {RunControlError} If it does not run, or is paused. */
  pause(): void {
    const { paused } = this.#running("pause");
    if (paused) throw new RunControlError("Cannot pause: the load test is paused");
    this.#set({ paused: true });
  }

  /** Ends a pause. @throws {RunControlError} If the run is not paused. */
  resume(): void {
    const { paused } = this.#running("resume");
    if (!paused) throw new RunControlError("Cannot resume: the load test is not paused");
    this.#set({ paused: false });
  }

  /**
   * Starts new work `speed` times as fast as planned, until the schedule ends.
   *
   * @throws {RangeError} If `speed` is not from 0.01 to 100.
   * @throws {RunControlError} If nothing is left to start.
   */
  setSpeed(speed: number): void {
    this.#scheduling();
    if (!(speed >= SPEEDS[0] && speed <= SPEEDS[1])) {
      throw new RangeError(`Cannot use speed ${speed}: expected a number from ${SPEEDS[0]} to ${SPEEDS[1]}`);
    }
    this.#set({ speed });
  }

  /**
   * Sets the speed so that the rate of this moment becomes `perSecond`. A planned ramp goes on from there.
   *
   * @throws {RangeError} If that needs a speed that is not from 0.01 to 100.
   * @throws {RunControlError} If nothing starts at a rate now.
   */
  setRate(perSecond: number): void {
    const planTime = this.#scheduling();
    const planned = rateAt(this.stages, planTime);
    if (planned === null || planned === 0) {
      throw new RunControlError("Cannot set the rate: nothing starts at a rate now; set the speed instead");
    }
    this.setSpeed(perSecond / planned);
  }

  /** Returns the time of the plan. */
  #scheduling(): number {
    this.#running("change the rate");
    const planTime = this.#pace!.planTime(this.#run!.now());
    if (planTime >= this.stages.at(-1)!.begin) {
      throw new RunControlError("Cannot change the rate: everything has started");
    }
    return planTime;
  }

  #running(doing: string): Pace {
    if (this.#pace === undefined) throw new RunControlError(`Cannot ${doing}: the load test has not started`);
    if (this.#ended) throw new RunControlError(`Cannot ${doing}: the load test has ended`);
    return this.#pace;
  }

  #set(change: Partial<PaceSetting>): void {
    const { paused, speed } = this.#pace!;
    const setting = { paused, speed, ...change };
    const now = this.#run!.now();
    this.#pace!.set(setting, now);
    this.#run!.apply(setting, now);
  }
}
