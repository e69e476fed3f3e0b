import { fitsAtOnce, passesOf } from "./heavy-trainer.ts";
import { isChosen } from "./positive-class.ts";
import type { TrainParameters } from "./train-request.ts";
import { enoughRows } from "./validation.ts";

const mostRepeats = 4;
/** Cells that all fits of the folds may go through together: some 20 s of one CPU (docs/performance.md). */
const mostCells = 300_000_000;
/** What a linear model costs, in rounds of trees on the same cells; by measurement rather less. */
const roundsOfLight = 3;
/** Models that a fit with a chosen threshold takes: its own, and three that learn from two thirds each. */
const fitsOfThreshold = 3;
/** What a search costs, in fits of trees by default: measured on tables of 150 and 400 rows. */
const fitsOfSearch = 30;

/** How much one fit is. */
export interface FitSize {
  readonly mode: "light" | "heavy" | "auto";
  readonly parameters: TrainParameters;
  /** Rows with a target. */
  readonly rows: number;
  /** Of the model's own; asked for only where it matters. */
  readonly features: () => number;
  readonly outputs: number;
}

/**
 * How often rows are dealt into folds where a run does not say it: four times in small tables, less where that is dear, and 0
 * where even once is. By the size alone, and not by a clock: the same request gives the same metrics.
 */
export function usualRepeats({ mode, parameters, rows, features, outputs }: FitSize, folds: number): number {
  if (rows >= enoughRows) return 1;
  const size = { rows, features: features(), outputs };
  const passes = mode === "light" ? roundsOfLight : passesOf(parameters) * fitsAtOnce(parameters, size);
  const fits = folds * (isChosen(parameters.threshold) ? fitsOfThreshold : 1) * (mode === "auto" ? fitsOfSearch : 1);
  const repeats = Math.floor(mostCells / (fits * passes * rows * size.features * outputs));
  return Math.min(mode === "auto" ? 1 : mostRepeats, repeats);
}
