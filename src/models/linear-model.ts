import { minimiseByLbfgs } from "./lbfgs.ts";
import { evaluateLoss, newLossState } from "./linear-loss.ts";
import { type LinearFit, type LinearWeights, type Loss, standardise, unstandardise } from "./linear-problem.ts";
import type { SolverReport } from "./model-metrics.ts";
import { minimiseByNewton } from "./newton.ts";

/** What the trainer found, and how. */
export interface FittedLinear extends LinearWeights {
  readonly solver: SolverReport;
}

/**
 * Up to so many unknowns Newton's method is the cheaper one, since it takes few steps: one for squared loss, some eight for the
 * others. Beyond, making and factoring the Hessian costs more than all steps of L-BFGS (docs/adr/0034-light-models-as-scikit-learn-has-them.md).
 */
const mostForNewton = { squared: 1000, logistic: 200, softmax: 200 } as const satisfies Record<Loss, number>;
/**
 * The largest derivative of the mean loss that counts as none: what scikit-learn calls `tol`. There it is 1e-4, which leaves
 * weights right to two digits only.
 */
const TOLERANCE = 1e-6;

/** Fits it. Pure and deterministic: the same rows give the same bits. */
export function fitLinear(fit: LinearFit, onProgress: (fraction: number) => void): FittedLinear {
  const problem = standardise(fit);
  const state = newLossState(problem);
  const unknowns = new Float64Array(problem.outputs * problem.width);
  const name = unknowns.length <= mostForNewton[fit.loss] ? "newton" : "lbfgs";
  const slope = (): number => steepest(state.gradient) / problem.totalWeight;
  // Newton's last step takes a small gradient to nearly nothing, and is cheap.
  const tolerance = name === "newton" ? TOLERANCE / 1000 : TOLERANCE;
  const howFar = progressTo(tolerance, onProgress);
  const isFlat = (): boolean => {
    howFar(slope());
    return slope() <= tolerance;
  };
  const iterations =
    name === "newton"
      ? minimiseByNewton(problem, unknowns, state, isFlat)
      : minimiseByLbfgs((at) => evaluateLoss(problem, at, state), unknowns, state.gradient, isFlat);
  return {
    ...unstandardise(problem, unknowns),
    solver: { name, iterations, converged: slope() <= TOLERANCE },
  };
}

function steepest(gradient: Float64Array): number {
  let most = 0;
  for (const each of gradient) most = Math.max(most, Math.abs(each));
  return most;
}

/** The gradient falls by about the same factor in each step: its logarithm says how much of the way is behind. Never back. */
function progressTo(tolerance: number, onProgress: (fraction: number) => void): (slope: number) => void {
  let first: number | undefined;
  let told = 0;
  return (slope) => {
    first ??= Math.max(slope, 10 * tolerance);
    const way = Math.log(first / Math.max(slope, tolerance)) / Math.log(first / tolerance);
    told = Math.max(told, Math.min(0.95, way));
    onProgress(told);
  };
}
