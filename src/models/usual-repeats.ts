import { isChosen } from "./positive-class.ts";
import type { TrainParameters } from "./train-request.ts";
import { enoughRows } from "./validation.ts";

const mostRepeats = 4;
/** Cells that all fits may go through together, where that is more than one deal: some 10 s of one CPU (docs/performance.md). */
const mostCells = 40_000_000;
/** What a linear model costs, in rounds of trees on the same cells; by measurement rather less. */
const roundsOfLight = 3;
const usualRounds = 100;
const usualDepth = 6;
/** Models that a fit with a chosen threshold takes: its own, and three that learn from two thirds each. */
const fitsOfThreshold = 3;

/** How much one fit is. */
export interface FitSize {
  readonly mode: "light" | "heavy";
  readonly parameters: TrainParameters;
  /** Rows with a target. */
  readonly rows: number;
  /** Of the model's own; asked for only where it matters. */
  readonly features: () => number;
  readonly outputs: number;
}

/**
 * How often rows are dealt into folds where a run does not say it: four times in small tables, less where that is dear. By the
 * size alone, and not by a clock: the same request gives the same metrics.
 */
export function usualRepeats({ mode, parameters, rows, features, outputs }: FitSize, folds: number): number {
  if (rows >= enoughRows) return 1;
  const { rounds = usualRounds, maxDepth = usualDepth, threshold } = parameters;
  const passes = mode === "light" ? roundsOfLight : (rounds * maxDepth) / usualDepth;
  const fits = folds * (isChosen(threshold) ? fitsOfThreshold : 1);
  const cells = fits * passes * rows * features() * outputs;
  return Math.max(1, Math.min(mostRepeats, Math.floor(mostCells / cells)));
}
