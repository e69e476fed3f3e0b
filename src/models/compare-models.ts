import { intervalOf } from "./fold-metrics.ts";
import type { KeptFolds, KeptMeasures } from "./kept-measures.ts";
import type { Interval } from "./model-metrics.ts";
import { quantileOf } from "./quantile-of.ts";
import { seededRandom } from "./split-rows.ts";

/** By metric, the interval of how much more of it a model has than the first one, with 95 % confidence. */
export type DifferenceIntervals = Readonly<Record<string, Interval>>;

const resamples = 500;
/** Draws of one slice: some 3 ms with ten models of 5,000 rows. */
const drawsOfSlice = 5;
const seed = 42;

/**
 * Compares models that were measured on the same rows with the first of them.
 * @param all of the same mark
 * @param rest awaited between slices of the work, so that others have their turn
 * @returns by model; empty of the first
 */
export async function compareModels(
  all: readonly KeptMeasures[],
  rest: () => Promise<void>,
): Promise<DifferenceIntervals[]> {
  const folds = all.filter((kept) => kept.kind === "folds");
  if (folds.length > 0) return folds.map((kept) => compareFolds(folds[0]!, kept));
  return await compareRows(all.map(readRows), rest);
}

/** Fold by fold, by the rule by which a fold's metrics have their intervals. */
function compareFolds(first: KeptFolds, other: KeptFolds): DifferenceIntervals {
  if (first === other) return {};
  const names = Object.keys(first.folds[0] ?? {});
  return Object.fromEntries(
    names.flatMap((name): [string, Interval][] => {
      const differences = other.folds.map((fold, at) => fold[name]! - first.folds[at]![name]!);
      if (!differences.every(Number.isFinite)) return [];
      return [[name, intervalOf(differences, first.ratio)]];
    }),
  );
}

/** By row what metrics are means of. */
type RowMeasures = Readonly<Record<string, Float64Array>>;

function readRows(kept: KeptMeasures): RowMeasures {
  if (kept.kind === "folds") throw new Error("Folds have no rows.");
  const losses = Float64Array.from(kept.losses);
  if (kept.right === undefined) return { mae: losses, mse: losses.map((distance) => distance * distance) };
  return { logLoss: losses, accuracy: Float64Array.from(kept.right, Number) };
}

/** Rows are drawn again and again, the same of all models, and the differences measured (paired percentile bootstrap). */
async function compareRows(all: readonly RowMeasures[], rest: () => Promise<void>): Promise<DifferenceIntervals[]> {
  const rowCount = Object.values(all[0] ?? {})[0]?.length ?? 0;
  const random = seededRandom(seed);
  const draws: Record<string, number>[][] = all.map(() => []);
  const weights = new Uint16Array(rowCount);
  for (let draw = 0; draw < resamples; draw++) {
    if (draw % drawsOfSlice === 0) await rest();
    weights.fill(0);
    for (let row = 0; row < rowCount; row++) weights[Math.floor(random() * rowCount)]! += 1;
    for (const [at, measures] of all.entries()) draws[at]!.push(scoreOf(measures, weights));
  }
  const [first, ...others] = draws;
  return [{}, ...others.map((scores) => intervalsOf(first!, scores))];
}

function intervalsOf(
  first: readonly Readonly<Record<string, number>>[],
  other: readonly Readonly<Record<string, number>>[],
): DifferenceIntervals {
  return Object.fromEntries(
    Object.keys(first[0]!).map((name): [string, Interval] => {
      const sorted = Float64Array.from(other, (scores, draw) => scores[name]! - first[draw]![name]!).sort();
      return [name, [quantileOf(sorted, 0.025), quantileOf(sorted, 0.975)]];
    }),
  );
}

function scoreOf(measures: RowMeasures, weights: Uint16Array): Record<string, number> {
  const means = Object.fromEntries(
    Object.entries(measures).map(([name, values]) => {
      let sum = 0;
      for (let row = 0; row < values.length; row++) sum += weights[row]! * values[row]!;
      return [name, sum / values.length];
    }),
  );
  return means.mse === undefined ? means : { ...means, rmse: Math.sqrt(means.mse) };
}
