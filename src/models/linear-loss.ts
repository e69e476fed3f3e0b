import { type LinearProblem, multiply, multiplyTransposed } from "./linear-problem.ts";

/** What an evaluation of the loss leaves behind; its arrays are used again by the next one. */
export interface LossState {
  /** Of row r for output k at `k * rows + r`; for squared loss they stay 0. */
  readonly probabilities: Float64Array;
  /** Of the loss by the unknowns. */
  readonly gradient: Float64Array;
  readonly margins: Float64Array;
}

export function newLossState({ rows, width, outputs }: LinearProblem): LossState {
  return {
    probabilities: new Float64Array(rows * outputs),
    gradient: new Float64Array(width * outputs),
    margins: new Float64Array(rows * outputs),
  };
}

/** The loss at these unknowns, summed over rows, and the penalty; leaves probabilities and gradient in the state. */
export function evaluateLoss(problem: LinearProblem, unknowns: Float64Array, state: LossState): number {
  multiply(problem, unknowns, state.margins);
  let loss = residualsOf[problem.loss](problem, state);
  multiplyTransposed(problem, state.margins, state.gradient);
  for (let i = 0; i < unknowns.length; i++) {
    const penalty = problem.penalties[i % problem.width]!;
    loss += 0.5 * penalty * unknowns[i]! * unknowns[i]!;
    state.gradient[i]! += penalty * unknowns[i]!;
  }
  return loss;
}

/** Turns margins into weighted residuals in place, and says the loss without its penalty. */
const residualsOf = {
  squared({ rows, target, rowWeights }: LinearProblem, { margins }: LossState): number {
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const residual = margins[row]! - target[row]!;
      margins[row] = rowWeights[row]! * residual;
      loss += 0.5 * rowWeights[row]! * residual * residual;
    }
    return loss;
  },

  logistic({ rows, target, rowWeights }: LinearProblem, { margins, probabilities }: LossState): number {
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const margin = margins[row]!;
      const probability = 1 / (1 + Math.exp(-margin));
      probabilities[row] = probability;
      margins[row] = rowWeights[row]! * (probability - target[row]!);
      // log(1 + e^margin) - margin · target, in a form that overflows for no margin.
      const missed = Math.max(margin, 0) - margin * target[row]! + Math.log1p(Math.exp(-Math.abs(margin)));
      loss += rowWeights[row]! * missed;
    }
    return loss;
  },

  softmax({ rows, outputs, target, rowWeights }: LinearProblem, { margins, probabilities }: LossState): number {
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      let highest = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < outputs; k++) highest = Math.max(highest, margins[k * rows + row]!);
      let sum = 0;
      for (let k = 0; k < outputs; k++) {
        const share = Math.exp(margins[k * rows + row]! - highest);
        probabilities[k * rows + row] = share;
        sum += share;
      }
      loss += rowWeights[row]! * (Math.log(sum) + highest - margins[target[row]! * rows + row]!);
      for (let k = 0; k < outputs; k++) {
        const probability = probabilities[k * rows + row]! / sum;
        probabilities[k * rows + row] = probability;
        margins[k * rows + row] = rowWeights[row]! * (probability - (target[row] === k ? 1 : 0));
      }
    }
    return loss;
  },
};

/** Second derivative of a row's loss by its margins for outputs a and b. */
export function curvature(problem: LinearProblem, state: LossState, a: number, b: number, row: number): number {
  const weight = problem.rowWeights[row]!;
  if (problem.loss === "squared") return weight;
  const first = state.probabilities[a * problem.rows + row]!;
  if (problem.loss === "logistic" || a === b) return weight * first * (1 - first);
  return -weight * first * state.probabilities[b * problem.rows + row]!;
}
