import type { TrainingMode, TrainingTask } from "./model.ts";
import { seededRandom } from "./split-rows.ts";
import type { TrainParameters } from "./train-request.ts";

/** One way to learn. */
export interface Candidate {
  readonly mode: TrainingMode;
  /** What differs from the mode's defaults. */
  readonly parameters: TrainParameters;
}

/** Beside the default, 1: the most different ones first. */
const ridges = [10, 0.1, 100, 0.01];
/** One trial in so many is a light one with another `ridge`. */
const trialsPerRidge = 5;
/**
 * Learning rate times rounds. A tenth is 300 rounds then, three times the default: early stopping decides how many of them
 * are used, and all candidates have come equally far with the same share of their rounds.
 */
const reach = 30;
const patience = 1.5;
/** The draws of a search are others than those of rows, which have the seeds that follow the run's. */
const seedStep = 7;

/**
 * What is tried: both modes with their defaults first, then a few light ones of another `ridge`, and heavy ones that are drawn.
 * @param count how many, at least 2
 * @param seed the same gives the same
 */
export function drawCandidates(task: TrainingTask, count: number, seed: number): Candidate[] {
  const random = seededRandom(seed + seedStep);
  const light = ridges.slice(0, Math.floor(count / trialsPerRidge));
  const usual: Candidate[] = [
    { mode: "light", parameters: {} },
    { mode: "heavy", parameters: {} },
    ...light.map((ridge): Candidate => ({ mode: "light", parameters: { ridge } })),
  ];
  const drawn = Array.from(
    { length: Math.max(0, count - usual.length) },
    (): Candidate => ({ mode: "heavy", parameters: drawHeavy(task, random) }),
  );
  return [...usual, ...drawn];
}

function drawHeavy(task: TrainingTask, random: () => number): TrainParameters {
  const between = (low: number, high: number): number => low + random() * (high - low);
  const byFactor = (low: number, high: number): number => Math.exp(between(Math.log(low), Math.log(high)));
  const learningRate = short(byFactor(0.02, 0.3));
  const drawn = {
    learningRate,
    rounds: Math.round(reach / learningRate),
    earlyStoppingRounds: Math.ceil(patience / learningRate),
    maxDepth: Math.floor(between(2, 9)),
    minChildWeight: short(byFactor(0.3, 20)),
    subsample: short(between(0.5, 1)),
    colsampleByTree: short(between(0.4, 1)),
    lambda: short(byFactor(0.1, 20)),
    maxBins: random() < 0.5 ? 255 : Math.floor(between(16, 128)),
  };
  // Drawn of all, so that a task does not change what follows. Of numbers they would be in the target's own unit.
  const penalties = {
    alpha: random() < 0.5 ? 0 : short(byFactor(0.01, 2)),
    gamma: random() < 0.5 ? 0 : short(byFactor(0.01, 2)),
  };
  return task === "regression" ? drawn : { ...drawn, ...penalties };
}

/** Two digits are as much as a person wants to read, and a search can tell. */
const short = (value: number): number => Number(value.toPrecision(2));
