/** The stages that a run goes through, for people who watch it. Pure. @module */
import { formatDuration } from "../../internal/duration.ts";
import { plural } from "../../internal/plural.ts";
import type { Plan } from "../plan/plan.ts";
import { formatStages, type LoadShape, type Stage } from "../scenario/load_shape.ts";

/** A stage of a run; times in ms, as planned. */
export interface RunStage {
  /** A description such as `100 clients start (uniform)` or `30s:0→500/s`. */
  readonly label: string;
  /** When it begins. */
  readonly begin: number;
  /** `null` for the last one, which ends with the run. */
  readonly duration: number | null;
  /** Starts per second at its beginning; absent if nothing starts, or not at a rate. */
  readonly from?: number;
  /** Starts per second at its end. */
  readonly to?: number;
}

/** Returns the stages of a plan. The last one waits for what is in flight. */
export function runStages(plan: Plan, load: LoadShape = {}): RunStage[] {
  const { stages, window, arrival } = plan.options;
  const list: RunStage[] = [];
  const add = (stage: Omit<RunStage, "begin">): void => {
    const before = list.at(-1);
    list.push({ begin: before === undefined ? 0 : before.begin + (before.duration ?? 0), ...stage });
  };
  const addRates = (rates: readonly Stage[]): void => {
    for (const stage of rates) add({ label: formatStages([stage]), ...stage });
  };
  if (stages !== undefined) addRates(stages);
  else if (window > 0) {
    const rate = 1000 * plan.clients / window;
    add({
      label: `${plural(plan.clients, CLIENT)} (${arrival})`,
      duration: window,
      ...(arrival === "ramp"
        ? { from: 0, to: 2 * rate }
        : arrival === "burst"
        ? {}
        : { from: rate, to: rate }),
    });
  }
  if (stages === undefined && load.stages !== undefined) addRates(load.stages);
  if (load.duration !== undefined && load.duration > window) {
    add({ label: `Messages until ${formatDuration(load.duration)}`, duration: load.duration - window });
  }
  add({ label: "Last replies", duration: null });
  return list;
}

const CLIENT = { one: "client starts", many: "clients start" };

/** Returns the stage at an instant of the plan, as its index. */
export function stageAt(stages: readonly RunStage[], planTime: number): number {
  return Math.max(0, stages.findLastIndex(({ begin }) => begin <= planTime));
}

/** Returns the planned starts per second at an instant of the plan; `null` if nothing starts at a rate then. */
export function rateAt(stages: readonly RunStage[], planTime: number): number | null {
  const stage = stages[stageAt(stages, planTime)];
  if (stage?.from === undefined || stage.to === undefined || stage.duration === null) return null;
  const part = Math.min(1, Math.max(0, planTime - stage.begin) / stage.duration);
  return stage.from + (stage.to - stage.from) * part;
}
