import type { HeavyParameters } from "./heavy-parameters.ts";
import type { LightParameters } from "./light-trainer.ts";
import type { TrainingMode, TrainingTask } from "./model.ts";
import type { PositiveParameters } from "./positive-class.ts";
import type { TrainingTable } from "./training-table.ts";
import type { Validation } from "./validation.ts";

/** How far a search for the best model may go. */
export interface SearchParameters {
  /** Ways to learn that are tried. Default 20. */
  readonly maxTrials?: number | undefined;
  /** Seconds of all searches of the run together. Default 300, and no more than half the time that a run may take. */
  readonly maxSeconds?: number | undefined;
}

/** How to train; what is absent has a default. */
export interface TrainParameters extends LightParameters, HeavyParameters, PositiveParameters, SearchParameters {
  /** Of which rows are held out, and of what is drawn in training. Default 42. */
  readonly seed?: number | undefined;
  /** The column that says how much each row counts; it is no feature then. */
  readonly weight?: string | undefined;
  /** On which rows the model is measured. Default: folds of small tables, else a quarter that is held out. */
  readonly validation?: Validation | undefined;
}

/** What to train on, and how. */
export interface TrainRequest {
  readonly table: TrainingTable;
  /** Of all columns of the file, also of those that were not read; the table's when absent. */
  readonly columnNames?: readonly string[] | undefined;
  readonly target: string;
  readonly task: TrainingTask;
  /** Columns to learn from; all but the target when absent. */
  readonly features?: readonly string[] | undefined;
  /** Columns of the file that nothing shall be learnt from; read only where something else needs them. */
  readonly leftOut?: readonly string[] | undefined;
  readonly mode: TrainingMode;
  readonly parameters: TrainParameters;
  /** What the whole process may hold; when absent, nothing is refused for its size. */
  readonly memoryBytes?: number | undefined;
}

/** What is drawn by where a request says nothing. */
export const usualSeed = 42;

/** The default of `maxSeconds`, where a training may take twice as long. */
export const usualSearchSeconds = 300;
