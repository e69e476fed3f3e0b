import { curvature, evaluateLoss, type LossState } from "./linear-loss.ts";
import { fourColumns, type LinearProblem } from "./linear-problem.ts";

const MAX_STEPS = 40;
const MAX_HALVINGS = 30;

/**
 * Newton's method with step halving: exact in one step for squared loss, a handful for others; each costs rows × unknowns².
 * @param unknowns where to start; in the end the minimum
 * @param isFlat whether the gradient in the state says that this is the minimum; called after each step
 * @returns the steps taken
 */
export function minimiseByNewton(
  problem: LinearProblem,
  unknowns: Float64Array,
  state: LossState,
  isFlat: () => boolean,
): number {
  let loss = evaluateLoss(problem, unknowns, state);
  for (let step = 1; step <= MAX_STEPS; step++) {
    const direction = solveDirectly(problem, state);
    const previous = unknowns.slice();
    let next = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < MAX_HALVINGS && !(next <= loss); halving++) {
      for (let i = 0; i < unknowns.length; i++) unknowns[i] = previous[i]! - direction[i]! / 2 ** halving;
      next = evaluateLoss(problem, unknowns, state);
    }
    if (!(next <= loss)) {
      unknowns.set(previous);
      evaluateLoss(problem, unknowns, state);
      isFlat();
      return step;
    }
    const gained = loss - next;
    loss = next;
    // Without a penalty, classes that can be told apart have their minimum nowhere: what is gained ends, the way there does not.
    if (isFlat() || gained <= 1e-14 * Math.abs(loss)) return step;
  }
  return MAX_STEPS;
}

function solveDirectly(problem: LinearProblem, state: LossState): Float64Array {
  const { rows, width, outputs, columns, totalWeight } = problem;
  const size = outputs * width;
  const hessian = new Float64Array(size * size);
  const weighted = new Float64Array(rows);
  const factors = new Float64Array(rows);
  for (let a = 0; a < outputs; a++) {
    for (let b = 0; b <= a; b++) {
      for (let row = 0; row < rows; row++) factors[row] = curvature(problem, state, a, b, row);
      for (let i = 0; i < width; i++) {
        const first = columns[i]!;
        for (let row = 0; row < rows; row++) weighted[row] = factors[row]! * first[row]!;
        for (let j = 0; j <= i; j += 4) {
          for (const [k, sum] of productsWith(weighted, fourColumns(problem, j)).entries()) {
            if (j + k > i) break;
            hessian[(a * width + i) * size + b * width + j + k] = sum;
            hessian[(a * width + j + k) * size + b * width + i] = sum;
          }
        }
      }
    }
  }
  for (let i = 0; i < size; i++) {
    // Softmax doesn't care for a constant added to all biases: without the second term the matrix is singular.
    hessian[i * size + i]! += problem.penalties[i % width]! + 1e-10 * totalWeight;
  }
  return solveCholesky(hessian, state.gradient, size);
}

/** Four at once, since reading the weighted column is most of it. */
function productsWith(weighted: Float64Array, [a, b, c, d]: ReturnType<typeof fourColumns>): number[] {
  let [p, q, r, s] = [0, 0, 0, 0];
  for (let row = 0; row < weighted.length; row++) {
    const value = weighted[row]!;
    p += value * a[row]!;
    q += value * b[row]!;
    r += value * c[row]!;
    s += value * d[row]!;
  }
  return [p, q, r, s];
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
