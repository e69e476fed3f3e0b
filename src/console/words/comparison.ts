import type { RunComparison } from "../api/answers.ts";
import { isShare, type MeasureName, measureNames } from "./quality.ts";

export type ComparedRun = RunComparison["runs"][number];

/** How a run's measure stands to the first one's. */
export interface MeasuredDifference {
  readonly difference: number;
  readonly interval: readonly [number, number] | undefined;
  /** `unsure`: its interval has 0 in it, or there is none to tell. */
  readonly kind: "better" | "worse" | "same" | "unsure";
}

/** A measure of all runs, in their order; undefined where one has none. */
export interface MeasureRow {
  readonly name: MeasureName;
  readonly isShare: boolean;
  readonly values: readonly (number | undefined)[];
  /** Undefined of the first, and of a run that can't be compared by it. */
  readonly differences: readonly (MeasuredDifference | undefined)[];
}

const lessIsBetter: ReadonlySet<string> = new Set<MeasureName>([
  "logLoss",
  "brier",
  "rmse",
  "mae",
  "medianAbsoluteError",
  "mape",
]);

function differenceOf({ differences }: ComparedRun, name: MeasureName): MeasuredDifference | undefined {
  const told = differences?.[name];
  if (told === undefined) return undefined;
  const { difference } = told;
  const [from, to] = told.interval ?? [];
  const interval = from === undefined || to === undefined ? undefined : ([from, to] as const);
  if (difference === 0) return { difference, interval, kind: "same" };
  const isSure = interval !== undefined && (interval[0] > 0 || interval[1] < 0);
  if (!isSure) return { difference, interval, kind: "unsure" };
  return { difference, interval, kind: difference < 0 === lessIsBetter.has(name) ? "better" : "worse" };
}

/** The measures that some of the runs have, as a run's page orders them. */
export function measureRows({ task, runs }: Pick<RunComparison, "task" | "runs">): MeasureRow[] {
  return measureNames[task]
    .filter((name) => runs.some(({ metrics }) => metrics[name] !== undefined))
    .map((name) => ({
      name,
      isShare: isShare(name),
      values: runs.map(({ metrics }) => metrics[name]),
      differences: runs.map((run) => differenceOf(run, name)),
    }));
}

/** The letter of a run in a comparison: there are ten at most. */
export const letterOf = (place: number): string => String.fromCharCode("A".charCodeAt(0) + place);
