// Over 300 lines: loss, gradient and both solvers share one problem and its layout of unknowns.
/** What a linear model minimises: squared error, or log loss over classes. */
export type Loss = "squared" | "logistic" | "softmax";

/** The task of the linear trainer: features column by column, without missing values. */
export interface LinearFit {
  readonly columns: readonly Float32Array[];
  /** The value, or the number of the class. */
  readonly target: Float64Array;
  readonly loss: Loss;
  /** Outputs: 1 for squared and logistic, else the number of classes. */
  readonly outputs: number;
  /** Penalty on the squared standardised weights, as a sum over rows (not a mean). */
  readonly ridge: number;
}

/** Weights for the raw features, and the same for standardised ones (to compare features with). */
export interface LinearWeights {
  /** Of feature f for output k at `f * outputs + k`, in 32-bit precision. */
  readonly weights: Float32Array;
  readonly biases: Float32Array;
  readonly standardised: Float64Array;
}

// Above this many unknowns, factoring the Hessian costs more than a few dozen products with it.
const MAX_DIRECT_UNKNOWNS = 200;
const MAX_NEWTON_STEPS = 40;
const MAX_CONJUGATE_STEPS = 60;

/** Newton's method with step halving; exact in one step for squared loss. Pure and deterministic. */
export function fitLinear(fit: LinearFit, onProgress: (fraction: number) => void): LinearWeights {
  const problem = standardise(fit);
  const { outputs } = fit;
  const size = outputs * problem.width;
  const unknowns = new Float64Array(size);
  const state = { probabilities: new Float64Array(problem.rows * outputs), gradient: new Float64Array(size) };
  let loss = evaluateLoss(problem, unknowns, state);
  for (let step = 1; step <= MAX_NEWTON_STEPS; step++) {
    const direction =
      size <= MAX_DIRECT_UNKNOWNS ? solveDirectly(problem, state) : solveByConjugateGradients(problem, state);
    const previous = unknowns.slice();
    let scale = 1;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < 30; halving++, scale /= 2) {
      for (let i = 0; i < size; i++) unknowns[i] = previous[i]! - scale * direction[i]!;
      nextLoss = evaluateLoss(problem, unknowns, state);
      if (nextLoss <= loss) break;
    }
    onProgress(Math.min(0.95, step / (fit.loss === "squared" ? 2 : 15)));
    if (!(nextLoss <= loss)) {
      unknowns.set(previous);
      break;
    }
    const gained = loss - nextLoss;
    loss = nextLoss;
    if (gained <= 1e-10 * (Math.abs(loss) + 1e-6 * problem.rows)) break;
  }
  return unstandardise(problem, unknowns);
}

interface Problem {
  readonly rows: number;
  /** Features plus one for the bias, which is the last. */
  readonly width: number;
  readonly outputs: number;
  readonly loss: Loss;
  readonly ridge: number;
  readonly columns: readonly Float64Array[];
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  readonly target: Float64Array;
  readonly targetMean: number;
  readonly targetDeviation: number;
}

interface State {
  readonly probabilities: Float64Array;
  readonly gradient: Float64Array;
}

function standardise(fit: LinearFit): Problem {
  const rows = fit.target.length;
  const means = new Float64Array(fit.columns.length);
  const deviations = new Float64Array(fit.columns.length);
  const columns = fit.columns.map((column, feature) => {
    const { mean, deviation } = moments(column);
    means[feature] = mean;
    deviations[feature] = deviation;
    return Float64Array.from(column, (value) => (value - mean) / deviation);
  });
  const squared = fit.loss === "squared";
  const { mean: targetMean, deviation: targetDeviation } = squared ? moments(fit.target) : { mean: 0, deviation: 1 };
  const target = Float64Array.from(fit.target, (value) => (value - targetMean) / targetDeviation);
  return {
    rows,
    width: columns.length + 1,
    outputs: fit.outputs,
    loss: fit.loss,
    ridge: fit.ridge,
    columns: [...columns, new Float64Array(rows).fill(1)],
    means,
    deviations,
    target,
    targetMean,
    targetDeviation,
  };
}

function moments(values: Float32Array | Float64Array): { mean: number; deviation: number } {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += (values[i]! - mean) / (i + 1);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / values.length);
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

function multiply(problem: Problem, vector: Float64Array): Float64Array {
  const { rows, width, outputs } = problem;
  const product = new Float64Array(rows * outputs);
  for (let output = 0; output < outputs; output++) {
    const base = output * rows;
    for (let feature = 0; feature < width; feature++) {
      const weight = vector[output * width + feature]!;
      if (weight === 0) continue;
      const column = problem.columns[feature]!;
      for (let row = 0; row < rows; row++) product[base + row]! += weight * column[row]!;
    }
  }
  return product;
}

function multiplyTransposed(problem: Problem, residuals: Float64Array, weights: Float64Array): Float64Array {
  const { rows, width, outputs, ridge } = problem;
  const product = new Float64Array(outputs * width);
  for (let output = 0; output < outputs; output++) {
    const base = output * rows;
    for (let feature = 0; feature < width; feature++) {
      const column = problem.columns[feature]!;
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += residuals[base + row]! * column[row]!;
      product[output * width + feature] = sum + penalty(feature, width, ridge) * weights[output * width + feature]!;
    }
  }
  return product;
}

// The bias is not penalised, or predictions would shrink to 0.
function penalty(feature: number, width: number, ridge: number): number {
  return feature === width - 1 ? 0 : ridge;
}

/** Loss at these weights; leaves probabilities (residuals for squared loss) and gradient in the state. */
function evaluateLoss(problem: Problem, unknowns: Float64Array, state: State): number {
  const { rows, width, outputs, target } = problem;
  const margins = multiply(problem, unknowns);
  const residuals = new Float64Array(rows * outputs);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    if (problem.loss === "squared") {
      const residual = margins[row]! - target[row]!;
      residuals[row] = residual;
      loss += 0.5 * residual * residual;
    } else if (problem.loss === "logistic") {
      const margin = margins[row]!;
      const probability = 1 / (1 + Math.exp(-margin));
      state.probabilities[row] = probability;
      residuals[row] = probability - target[row]!;
      loss += Math.max(margin, 0) - margin * target[row]! + Math.log1p(Math.exp(-Math.abs(margin)));
    } else {
      let highest = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < outputs; k++) highest = Math.max(highest, margins[k * rows + row]!);
      let sum = 0;
      for (let k = 0; k < outputs; k++) sum += Math.exp(margins[k * rows + row]! - highest);
      for (let k = 0; k < outputs; k++) {
        const probability = Math.exp(margins[k * rows + row]! - highest) / sum;
        state.probabilities[k * rows + row] = probability;
        residuals[k * rows + row] = probability - (target[row] === k ? 1 : 0);
      }
      loss += Math.log(sum) + highest - margins[target[row]! * rows + row]!;
    }
  }
  for (let i = 0; i < unknowns.length; i++) {
    loss += 0.5 * penalty(i % width, width, problem.ridge) * unknowns[i]! * unknowns[i]!;
  }
  state.gradient.set(multiplyTransposed(problem, residuals, unknowns));
  return loss;
}

/** Second derivative of the loss by the margins of outputs a and b, in one row. */
function curvature(problem: Problem, state: State, a: number, b: number, row: number): number {
  if (problem.loss === "squared") return 1;
  const first = state.probabilities[a * problem.rows + row]!;
  if (problem.loss === "logistic") return first * (1 - first);
  return a === b ? first * (1 - first) : -first * state.probabilities[b * problem.rows + row]!;
}

function solveDirectly(problem: Problem, state: State): Float64Array {
  const { rows, width, outputs, ridge } = problem;
  const size = outputs * width;
  const hessian = new Float64Array(size * size);
  const weighted = new Float64Array(rows);
  const factors = new Float64Array(rows);
  for (let a = 0; a < outputs; a++) {
    for (let b = 0; b <= a; b++) {
      for (let row = 0; row < rows; row++) factors[row] = curvature(problem, state, a, b, row);
      for (let i = 0; i < width; i++) {
        const first = problem.columns[i]!;
        for (let row = 0; row < rows; row++) weighted[row] = factors[row]! * first[row]!;
        for (let j = 0; j <= i; j++) {
          const second = problem.columns[j]!;
          let sum = 0;
          for (let row = 0; row < rows; row++) sum += weighted[row]! * second[row]!;
          hessian[(a * width + i) * size + b * width + j] = sum;
          hessian[(a * width + j) * size + b * width + i] = sum;
        }
      }
    }
  }
  for (let i = 0; i < size; i++) {
    // Softmax doesn't care for a constant added to all biases: without the second term the matrix is singular.
    hessian[i * size + i]! += penalty(i % width, width, ridge) + 1e-10 * rows;
  }
  return solveCholesky(hessian, state.gradient, size);
}

/** Solves `matrix · x = right` for a symmetric positive matrix, of which the lower half is read and overwritten. */
export function solveCholesky(matrix: Float64Array, right: Float64Array, size: number): Float64Array {
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      // Rounding may push a nearly dependent column's pivot below 0; a tiny one keeps the step finite.
      if (i === j) matrix[j * size + j] = Math.sqrt(Math.max(sum, 1e-12));
      else matrix[i * size + j] = sum / matrix[j * size + j]!;
    }
  }
  const solution = right.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i]! -= matrix[i * size + k]! * solution[k]!;
    solution[i]! /= matrix[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) solution[i]! -= matrix[k * size + i]! * solution[k]!;
    solution[i]! /= matrix[i * size + i]!;
  }
  return solution;
}

function solveByConjugateGradients(problem: Problem, state: State): Float64Array {
  const size = state.gradient.length;
  const solution = new Float64Array(size);
  const residual = state.gradient.slice();
  const direction = residual.slice();
  let squared = dot(residual, residual);
  const enough = squared * 1e-12;
  for (let step = 0; step < MAX_CONJUGATE_STEPS && squared > enough; step++) {
    const product = hessianTimes(problem, state, direction);
    const bent = dot(direction, product);
    if (!(bent > 0)) break;
    const length = squared / bent;
    for (let i = 0; i < size; i++) {
      solution[i]! += length * direction[i]!;
      residual[i]! -= length * product[i]!;
    }
    const next = dot(residual, residual);
    for (let i = 0; i < size; i++) direction[i] = residual[i]! + (next / squared) * direction[i]!;
    squared = next;
  }
  return solution;
}

function hessianTimes(problem: Problem, state: State, vector: Float64Array): Float64Array {
  const { rows, outputs, loss } = problem;
  const margins = multiply(problem, vector);
  if (loss === "logistic") {
    for (let row = 0; row < rows; row++) margins[row]! *= curvature(problem, state, 0, 0, row);
  } else if (loss === "softmax") {
    for (let row = 0; row < rows; row++) {
      let mean = 0;
      for (let k = 0; k < outputs; k++) mean += state.probabilities[k * rows + row]! * margins[k * rows + row]!;
      for (let k = 0; k < outputs; k++) {
        margins[k * rows + row] = state.probabilities[k * rows + row]! * (margins[k * rows + row]! - mean);
      }
    }
  }
  return multiplyTransposed(problem, margins, vector);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function unstandardise(problem: Problem, unknowns: Float64Array): LinearWeights {
  const { width, outputs, means, deviations, targetMean, targetDeviation } = problem;
  const features = width - 1;
  const weights = new Float32Array(features * outputs);
  const biases = new Float32Array(outputs);
  const standardised = new Float64Array(features * outputs);
  for (let output = 0; output < outputs; output++) {
    let bias = targetMean + targetDeviation * unknowns[output * width + features]!;
    for (let feature = 0; feature < features; feature++) {
      const weight = unknowns[output * width + feature]! * targetDeviation;
      const place = feature * outputs + output;
      standardised[place] = weight;
      weights[place] = weight / deviations[feature]!;
      // The rounded weight, not the exact one: so the bias makes good what rounding took.
      bias -= weights[place]! * means[feature]!;
    }
    biases[output] = bias;
  }
  return { weights, biases, standardised };
}
