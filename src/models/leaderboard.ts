import type { TrainingMode } from "./model.ts";
import type { TrainParameters } from "./train-request.ts";
import type { TrainingDataErrorCode } from "./training-data-error.ts";
import type { ValidationReport } from "./validation.ts";

/** Why a search looked no further. */
export const stopReasons = ["trials", "seconds", "cancel"] as const;
export type StopReason = (typeof stopReasons)[number];

/** One way to learn that was tried. */
export interface Trial {
  readonly mode: TrainingMode;
  /** Those that it differs by from the mode's defaults; `rounds` as many as it was given at last. */
  readonly parameters: TrainParameters;
  /** The mean over the inner folds of what `metric` names; null where it could not be learnt. */
  readonly score: number | null;
  /** Standard deviation over the inner folds; null where there is one. */
  readonly deviation: number | null;
  /** Share of its rounds that it was given: below 1 it was not good enough to go on with. 1 of a light one. */
  readonly share: number;
  /** That it took, all its shares together. */
  readonly seconds: number;
  readonly isBest: boolean;
  /** Why it could not be learnt. */
  readonly error?: TrainingDataErrorCode;
}

/** What a search has tried, and found. */
export interface Leaderboard {
  /** Of what scores are means: the smaller, the better. */
  readonly metric: "logLoss" | "rmse";
  /** On which of the rows that are learnt from trials are compared. */
  readonly validation: ValidationReport;
  readonly trialsDone: number;
  readonly trialsOf: number;
  /** Null while it goes on. */
  readonly stoppedBy: StopReason | null;
  /** By folds: how many of them were measured by a model of a search of their own; the others took the run's. Absent else. */
  readonly foldsSearched?: number;
  /** The best first. */
  readonly trials: readonly Trial[];
}
