import type { Bins } from "./feature-bins.ts";

/** What a split must be worth, and what its sides may be; as XGBoost has them, in units of the gradients. */
export interface SplitRules {
  readonly minChildWeight: number;
  /** Penalty on squared leaf values. */
  readonly lambda: number;
  /** Penalty on absolute leaf values. */
  readonly alpha: number;
  /** Least gain of a split. */
  readonly gamma: number;
  /** By feature: 1 where the margin may not fall with it, -1 where it may not grow; undefined where there is no such rule. */
  readonly monotone: Int8Array | undefined;
  /** Whether leaf values are bounded: by monotone rules, or since a step may not be too large. */
  readonly isBounded: boolean;
}

/** Between what the leaf values below a node stay, before the learning rate. */
export interface LeafBounds {
  readonly lower: number;
  readonly upper: number;
}

/** Sums of a node. */
export interface NodeSums extends LeafBounds {
  readonly gradient: number;
  readonly hessian: number;
}

/** The best split of a node; `feature` is -1 where there is none. */
export interface Split {
  gain: number;
  feature: number;
  /** Bins below it go left. */
  bin: number;
  missingGoesLeft: boolean;
  leftGradient: number;
  leftHessian: number;
}

/** XGBoost's kRtEps: a split that gains less is rounding. */
const LEAST_GAIN = 1e-6;

/** The best leaf value of such sums, before the learning rate. */
export function leafWeight(sums: NodeSums, { lambda, alpha }: SplitRules): number {
  const { gradient, hessian, lower, upper } = sums;
  const weight = hessian + lambda > 0 ? -shrink(gradient, alpha) / (hessian + lambda) : 0;
  return Math.min(Math.max(weight, lower), upper);
}

function shrink(gradient: number, alpha: number): number {
  if (gradient > alpha) return gradient - alpha;
  return gradient < -alpha ? gradient + alpha : 0;
}

/** What the best leaf value takes from twice the loss, where nothing bounds it. */
function freeGain(gradient: number, hessian: number, alpha: number, lambda: number): number {
  const shrunk = alpha === 0 ? gradient : shrink(gradient, alpha);
  return (shrunk * shrunk) / (hessian + lambda);
}

/** The same of a leaf value that need not be the best one; like XGBoost's it leaves the penalty `alpha` out. */
function gainOfWeight(gradient: number, hessian: number, weight: number, lambda: number): number {
  return -(2 * gradient * weight + (hessian + lambda) * weight * weight);
}

/** The gain of a split into a left side and the rest, both within the node's bounds; -Infinity where a monotone rule forbids it. */
function boundedGain(node: NodeSums, leftGradient: number, leftHessian: number, rules: SplitRules, feature: number) {
  const { lower, upper } = node;
  const { lambda, monotone } = rules;
  const rightGradient = node.gradient - leftGradient;
  const rightHessian = node.hessian - leftHessian;
  const left = leafWeight({ gradient: leftGradient, hessian: leftHessian, lower, upper }, rules);
  const right = leafWeight({ gradient: rightGradient, hessian: rightHessian, lower, upper }, rules);
  const rule = monotone === undefined ? 0 : monotone[feature]!;
  if (rule * (right - left) < 0) return Number.NEGATIVE_INFINITY;
  return (
    gainOfWeight(leftGradient, leftHessian, left, lambda) + gainOfWeight(rightGradient, rightHessian, right, lambda)
  );
}

/** The bounds of a split node's sides: what lies in the middle of both parts them where a monotone rule is kept. */
export function boundsOfSides(node: NodeSums, split: Split, rules: SplitRules): readonly [LeafBounds, LeafBounds] {
  const { lower, upper } = node;
  const rule = rules.monotone === undefined ? 0 : rules.monotone[split.feature]!;
  if (rule === 0) return [node, node];
  const { leftGradient, leftHessian } = split;
  const left = leafWeight({ gradient: leftGradient, hessian: leftHessian, lower, upper }, rules);
  const right = leafWeight(
    { gradient: node.gradient - leftGradient, hessian: node.hessian - leftHessian, lower, upper },
    rules,
  );
  const middle = (left + right) / 2;
  const below = { lower, upper: middle };
  const above = { lower: middle, upper };
  return rule > 0 ? [below, above] : [above, below];
}

/** What a split into a left side and the rest takes from twice the loss. */
function gainOfSides(node: NodeSums, leftGradient: number, leftHessian: number, rules: SplitRules, feature: number) {
  const { gradient, hessian } = node;
  const { alpha, lambda } = rules;
  return rules.isBounded
    ? boundedGain(node, leftGradient, leftHessian, rules, feature)
    : freeGain(leftGradient, leftHessian, alpha, lambda) +
        freeGain(gradient - leftGradient, hessian - leftHessian, alpha, lambda);
}

/**
 * The split of a node that gains most.
 * @param histogram of each bin its gradients and hessians, summed over the node's rows
 * @param features those that may be split by
 */
export function findSplit(
  histogram: Float64Array,
  { thresholds, offsets, categoryOf }: Pick<Bins, "thresholds" | "offsets" | "categoryOf">,
  features: Int32Array,
  node: NodeSums,
  rules: SplitRules,
): Split {
  const { minChildWeight, lambda, alpha, isBounded } = rules;
  const { gradient, hessian } = node;
  // A side without rows has no hessian, and as gradient what rounding left of it.
  const leastHessian = Math.max(minChildWeight, Number.MIN_VALUE);
  const best: Split = {
    gain: LEAST_GAIN,
    feature: -1,
    bin: 0,
    missingGoesLeft: false,
    leftGradient: 0,
    leftHessian: 0,
  };
  const whole = isBounded
    ? gainOfWeight(gradient, hessian, leafWeight(node, rules), lambda)
    : freeGain(gradient, hessian, alpha, lambda);
  for (const feature of features) {
    const offset = 2 * offsets[feature]!;
    const category = categoryOf[feature]!;
    if (category >= 0) {
      // The rows of the category go right, and all others left.
      const rightHessian = histogram[offset + 2 * category + 1]!;
      const leftHessian = hessian - rightHessian;
      if (leftHessian < leastHessian || rightHessian < leastHessian) continue;
      const leftGradient = gradient - histogram[offset + 2 * category]!;
      const gain = gainOfSides(node, leftGradient, leftHessian, rules, feature) - whole;
      if (gain <= best.gain) continue;
      Object.assign(best, {
        gain,
        feature,
        bin: 1,
        missingGoesLeft: leftHessian > rightHessian,
        leftGradient,
        leftHessian,
      });
      continue;
    }
    const count = thresholds[feature]!.length;
    const missingGradient = histogram[offset + 2 * count]!;
    const missingHessian = histogram[offset + 2 * count + 1]!;
    const hasMissing = missingHessian > 1e-12;
    let leftGradient = 0;
    let leftHessian = 0;
    for (let bin = 0; bin < count; bin++) {
      for (let side = hasMissing ? 1 : 0; side >= 0; side--) {
        const gradientLeft = leftGradient + (side === 1 ? missingGradient : 0);
        const hessianLeft = leftHessian + (side === 1 ? missingHessian : 0);
        const hessianRight = hessian - hessianLeft;
        if (hessianLeft < leastHessian || hessianRight < leastHessian) continue;
        const gain = gainOfSides(node, gradientLeft, hessianLeft, rules, feature) - whole;
        if (gain > best.gain) {
          best.gain = gain;
          best.feature = feature;
          best.bin = bin;
          // Where none was missing here, a missing value goes with the heavier side.
          best.missingGoesLeft = hasMissing ? side === 1 : hessianLeft > hessianRight;
          best.leftGradient = gradientLeft;
          best.leftHessian = hessianLeft;
        }
      }
      leftGradient += histogram[offset + 2 * bin]!;
      leftHessian += histogram[offset + 2 * bin + 1]!;
    }
  }
  if (best.gain < rules.gamma) best.feature = -1;
  return best;
}
