import type { HeavyParameters } from "./heavy-parameters.ts";
import { type FittedHeavy, type HeavyFit, trainHeavy } from "./heavy-trainer.ts";
import { type FittedLight, type LightFit, type LightParameters, trainLight } from "./light-trainer.ts";
import { type OutOfFold, predictOutOfFold } from "./out-of-fold.ts";
import { TrainingDataError } from "./training-data-error.ts";

/** Rows that are learnt from: what both trainers want of them. */
export type ModelFit = LightFit & HeavyFit;

/** What to learn by. */
export interface FitHow {
  readonly mode: "light" | "heavy";
  readonly parameters: LightParameters & HeavyParameters;
  readonly seed: number;
}

/** A model of either mode, and what is to be told of it. */
export interface FittedModel extends FittedHeavy {
  /** Of a light one. */
  readonly linear?: Pick<FittedLight, "weights" | "solver">;
}

/**
 * Fits a model of the mode.
 * @throws TrainingDataError CLASS_UNKNOWN
 */
export function fitModel(
  fit: ModelFit,
  { mode, parameters, seed }: FitHow,
  onProgress: (fraction: number) => void,
): FittedModel {
  if (mode === "heavy") return trainHeavy(fit, parameters, seed, onProgress);
  const { model, importances, ...linear } = trainLight(fit, parameters, onProgress);
  return { model, importances, linear };
}

/**
 * What is said of each row by a model of the mode that was learnt without it, as `predictXgboost` gives it.
 * @throws TrainingDataError WEIGHT_UNUSABLE where all rows that count may be left out at once
 */
export function fitOutOfFold(fit: ModelFit, how: FitHow, onProgress: (fraction: number) => void): Float64Array {
  const learn: OutOfFold["learn"] = (part, onPart) => {
    if (part.weights?.every((weight) => weight === 0))
      throw new TrainingDataError(
        "WEIGHT_UNUSABLE",
        "Too few rows have a weight above 0 for a threshold to be chosen: each is left out once. Say a number as `threshold`, or leave `weight` out.",
      );
    return fitModel({ ...fit, ...part }, how, onPart).model;
  };
  return predictOutOfFold({ ...fit, seed: how.seed, learn }, onProgress);
}
