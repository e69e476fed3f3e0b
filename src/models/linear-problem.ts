import { type FeatureColumn, floatsOf } from "./feature-column.ts";

/** What a linear model minimises: squared error, or log loss over classes. */
export type Loss = "squared" | "logistic" | "softmax";

/** The task of the linear trainer: features column by column, without missing values. */
export interface LinearFit {
  readonly columns: readonly FeatureColumn[];
  /** The value, or the number of the class. */
  readonly target: Float64Array;
  /** How much each row counts: as much as so many rows that are the same. */
  readonly rowWeights: Float64Array;
  /** The same for means and deviations, for which a class's weight does not count; all the same when absent. */
  readonly momentWeights?: Float64Array | undefined;
  readonly loss: Loss;
  /** Outputs: 1 for squared and logistic, else the number of classes. */
  readonly outputs: number;
  /** Half of it times each squared standardised weight is added to the loss, which is a sum over rows (not a mean). */
  readonly ridge: number;
  /** By feature, whether it is a category's 0 and 1: its weight is penalised as it is then, not as of a standardised column. */
  readonly ofCategories?: readonly boolean[] | undefined;
}

/** Weights for the raw features, and the same for standardised ones (to compare features with). */
export interface LinearWeights {
  /** Of feature f for output k at `f * outputs + k`, in 32-bit precision. */
  readonly weights: Float32Array;
  readonly biases: Float32Array;
  readonly standardised: Float64Array;
  /** Of the raw features; a constant one has deviation 1. */
  readonly means: Float64Array;
  readonly deviations: Float64Array;
}

/**
 * The same with columns, and for squared loss the target, of mean 0, and of such a scale that loss and penalty together bend as
 * much by every unknown: a solver knows one scale only. Without a penalty of its own that is deviation 1.
 */
export interface LinearProblem {
  readonly rows: number;
  /** Features plus one for the bias, which is the last. */
  readonly width: number;
  readonly outputs: number;
  readonly loss: Loss;
  /** By unknown of an output: half of it times the square is added to the loss; 0 of the bias, or predictions would shrink to 0. */
  readonly penalties: Float64Array;
  readonly rowWeights: Float64Array;
  readonly totalWeight: number;
  readonly columns: readonly Float64Array[];
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  /** What columns were divided by. */
  readonly scales: Float64Array;
  readonly target: Float64Array;
  readonly targetMean: number;
  readonly targetDeviation: number;
}

/** Rows count alike for means and deviations, whatever their class weighs, as in a pipeline of scikit-learn. */
export function standardise(fit: LinearFit): LinearProblem {
  const rows = fit.target.length;
  const totalWeight = fit.rowWeights.reduce((sum, weight) => sum + weight, 0);
  const means = new Float64Array(fit.columns.length);
  const deviations = new Float64Array(fit.columns.length);
  const scales = new Float64Array(fit.columns.length);
  const penalties = new Float64Array(fit.columns.length + 1);
  const columns = fit.columns.map((each, feature) => {
    const column = floatsOf(each);
    const { mean, deviation } = moments(column, fit.momentWeights);
    means[feature] = mean;
    deviations[feature] = deviation;
    const isCategory = fit.ofCategories?.[feature] ?? false;
    const scale = isCategory ? scaleOfCategory(fit, deviation, totalWeight) : deviation;
    scales[feature] = scale;
    penalties[feature] = isCategory ? fit.ridge / scale ** 2 : fit.ridge;
    return standardised(column, mean, scale);
  });
  const squared = fit.loss === "squared";
  const { mean: targetMean, deviation: targetDeviation } = squared
    ? moments(fit.target, fit.momentWeights)
    : { mean: 0, deviation: 1 };
  return {
    rows,
    width: columns.length + 1,
    outputs: fit.outputs,
    loss: fit.loss,
    penalties,
    rowWeights: fit.rowWeights,
    totalWeight,
    columns: [...columns, new Float64Array(rows).fill(1)],
    means,
    deviations,
    scales,
    target: standardised(fit.target, targetMean, targetDeviation),
    targetMean,
    targetDeviation,
  };
}

function standardised(values: Float32Array | Float64Array, mean: number, scale: number): Float64Array {
  const column = new Float64Array(values.length);
  for (let row = 0; row < column.length; row++) column[row] = (values[row]! - mean) / scale;
  return column;
}

/** The most that a row's loss bends by its margin. */
const steepestBend: Readonly<Record<Loss, (outputs: number) => number>> = {
  squared: () => 1,
  logistic: () => 1 / 4,
  softmax: (outputs) => 1 / Math.max(4, outputs),
};

/** A rare category has little to say and the whole penalty: by its deviation alone, hundreds of steps went to and fro beside it. */
function scaleOfCategory({ loss, outputs, ridge }: LinearFit, deviation: number, totalWeight: number): number {
  const bend = totalWeight * steepestBend[loss](outputs);
  return bend === 0 ? deviation : Math.sqrt((bend * deviation ** 2 + ridge) / (bend + ridge));
}

function moments(values: Float32Array | Float64Array, weights?: Float64Array): { mean: number; deviation: number } {
  let [mean, total] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const weight = weights === undefined ? 1 : weights[i]!;
    if (weight === 0) continue;
    total += weight;
    mean += ((values[i]! - mean) * weight) / total;
  }
  let squares = 0;
  for (let i = 0; i < values.length; i++)
    squares += (weights === undefined ? 1 : weights[i]!) * (values[i]! - mean) ** 2;
  const deviation = Math.sqrt(squares / total);
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

/** The solution in the units of the data. */
export function unstandardise(problem: LinearProblem, unknowns: Float64Array): LinearWeights {
  const { width, outputs, means, deviations, scales, targetMean, targetDeviation } = problem;
  const features = width - 1;
  const weights = new Float32Array(features * outputs);
  const biases = new Float32Array(outputs);
  const standardised = new Float64Array(features * outputs);
  for (let output = 0; output < outputs; output++) {
    let bias = targetMean + targetDeviation * unknowns[output * width + features]!;
    for (let feature = 0; feature < features; feature++) {
      const weight = unknowns[output * width + feature]! * targetDeviation;
      const place = feature * outputs + output;
      standardised[place] = (weight * deviations[feature]!) / scales[feature]!;
      weights[place] = weight / scales[feature]!;
      // The rounded weight, not the exact one: so the bias makes good what rounding took.
      bias -= weights[place]! * means[feature]!;
    }
    biases[output] = bias;
  }
  return { weights, biases, standardised, means, deviations };
}

// Four columns of so many rows stay in a core's nearest cache while all outputs pass over them.
const BLOCK_ROWS = 1024;

/** The margin of row r for output k at `k * rows + r`: all columns times their unknowns. */
export function multiply(problem: LinearProblem, unknowns: Float64Array, margins: Float64Array): void {
  const { rows, width, outputs } = problem;
  margins.fill(0);
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const end = Math.min(rows, from + BLOCK_ROWS);
    for (let feature = 0; feature < width; feature += 4) {
      const [a, b, c, d] = fourColumns(problem, feature);
      for (let output = 0; output < outputs; output++) {
        const base = output * rows;
        const place = output * width + feature;
        const u = unknowns[place]!;
        const v = feature + 1 < width ? unknowns[place + 1]! : 0;
        const w = feature + 2 < width ? unknowns[place + 2]! : 0;
        const x = feature + 3 < width ? unknowns[place + 3]! : 0;
        for (let row = from; row < end; row++)
          margins[base + row]! += u * a[row]! + v * b[row]! + w * c[row]! + x * d[row]!;
      }
    }
  }
}

/** The sum over rows of each column times the residuals of each output, in the order of the unknowns. */
export function multiplyTransposed(problem: LinearProblem, residuals: Float64Array, product: Float64Array): void {
  const { rows, width, outputs } = problem;
  product.fill(0);
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const end = Math.min(rows, from + BLOCK_ROWS);
    for (let feature = 0; feature < width; feature += 4) {
      const [a, b, c, d] = fourColumns(problem, feature);
      for (let output = 0; output < outputs; output++) {
        const base = output * rows;
        let [u, v, w, x] = [0, 0, 0, 0];
        for (let row = from; row < end; row++) {
          const residual = residuals[base + row]!;
          u += residual * a[row]!;
          v += residual * b[row]!;
          w += residual * c[row]!;
          x += residual * d[row]!;
        }
        const place = output * width + feature;
        product[place]! += u;
        if (feature + 1 < width) product[place + 1]! += v;
        if (feature + 2 < width) product[place + 2]! += w;
        if (feature + 3 < width) product[place + 3]! += x;
      }
    }
  }
}

/** From `feature` on; behind the last column the last one stands again, for whom nobody asks. */
export function fourColumns({ columns, width }: LinearProblem, feature: number) {
  const at = (place: number): Float64Array => columns[Math.min(place, width - 1)]!;
  return [at(feature), at(feature + 1), at(feature + 2), at(feature + 3)] as const;
}
