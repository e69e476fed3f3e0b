import type { XgboostTree } from "./model.ts";

/**
 * The ways to a tree's leaves. Each feature stands once in a way: its splits there are one range of values, and one share of the
 * rows that were learnt from.
 */
interface LeafPaths {
  /** By leaf: what it says, and where its features begin; the end of the last one stands behind them. */
  readonly values: number[];
  readonly from: number[];
  readonly feature: number[];
  /** From this on, and below that. */
  readonly least: number[];
  readonly below: number[];
  readonly takesMissing: boolean[];
  /** Of the rows that come to these splits, the share that goes on to the leaf; where nobody knows the feature, so does a row. */
  readonly share: number[];
  readonly longest: number;
}

/** What goes where. */
export interface ContributionsInto {
  /** A row after the other. */
  readonly into: Float64Array;
  /** Numbers of one row in `into`, and the place of the tree's first one among them. */
  readonly stride: number;
  readonly at: number;
  /** By feature: its place behind `at`. */
  readonly slots: ArrayLike<number>;
}

/**
 * Adds the SHAP values of one tree, as XGBoost's `pred_contribs` has them: the Shapley values of the features, where what a tree
 * says without knowing a feature is the mean of both sides, by the rows that were learnt from («path-dependent»; Lundberg et
 * al., 2018, algorithm 2). Of a leaf all features that lead away from the row have the same value, and those that lead to it
 * cost the square of their number alone.
 * @returns what the tree says where no feature is known
 */
export function addTreeContributions(
  tree: XgboostTree,
  columns: readonly Float32Array[],
  rowCount: number,
  { into, stride, at, slots }: ContributionsInto,
): number {
  const paths = pathsOf(tree);
  const { values, from, feature, share } = paths;
  const weights = Array.from({ length: paths.longest + 1 }, (_, length) => shapleyWeights(length));
  const met = new Int32Array(paths.longest);
  const sums = new Float64Array(paths.longest + 1);
  let mean = 0;
  for (let leaf = 0; leaf < values.length; leaf++) {
    const [start, end, value] = [from[leaf]!, from[leaf + 1]!, values[leaf]!];
    let reaching = value;
    for (let place = start; place < end; place++) reaching *= share[place]!;
    mean += reaching;
    const weight = weights[end - start]!;
    for (let row = 0; row < rowCount; row++) {
      let metCount = 0;
      let scale = value;
      for (let place = start; place < end; place++) {
        if (isMet(paths, place, columns[feature[place]!]![row]!)) met[metCount++] = place;
        else scale *= share[place]!;
      }
      if (scale === 0) continue;
      const base = row * stride + at;
      spread(sums, share, met, metCount);
      if (metCount < end - start) {
        let known = 0;
        for (let k = 0; k <= metCount; k++) known += weight[k]! * sums[k]!;
        let next = 0;
        for (let place = start; place < end; place++) {
          if (next < metCount && met[next] === place) next += 1;
          else into[base + slots[feature[place]!]!]! -= scale * known;
        }
      }
      for (let one = 0; one < metCount; one++) {
        const place = met[one]!;
        const own = share[place]!;
        // The sums without this feature: their polynomial divided by (own + y), from the highest power down.
        let without = sums[metCount]!;
        let known = weight[metCount - 1]! * without;
        for (let k = metCount - 1; k > 0; k--) {
          without = sums[k]! - own * without;
          known += weight[k - 1]! * without;
        }
        into[base + slots[feature[place]!]!]! += scale * (1 - own) * known;
      }
    }
  }
  return mean;
}

/** How much the coalitions of each size count beside one of `length` features: k! (length − 1 − k)! ÷ length!. */
function shapleyWeights(length: number): Float64Array {
  const weights = new Float64Array(length);
  let weight = 1 / length;
  for (let k = 0; k < length; k++) {
    weights[k] = weight;
    weight *= (k + 1) / (length - 1 - k);
  }
  return weights;
}

/** At k the sum, over all choices of k of these features, of the product of the others' shares: (share + y) multiplied out. */
function spread(sums: Float64Array, share: readonly number[], met: Int32Array, count: number): void {
  sums[0] = 1;
  for (let one = 0; one < count; one++) {
    const own = share[met[one]!]!;
    sums[one + 1] = 1;
    for (let k = one; k > 0; k--) sums[k] = sums[k]! * own + sums[k - 1]!;
    sums[0]! *= own;
  }
}

function isMet({ least, below, takesMissing }: LeafPaths, place: number, value: number): boolean {
  return Number.isNaN(value) ? takesMissing[place]! : value >= least[place]! && value < below[place]!;
}

function pathsOf(tree: XgboostTree): LeafPaths {
  const { left_children, right_children, split_indices, split_conditions, default_left, sum_hessian } = tree;
  const found: Omit<LeafPaths, "longest"> = {
    values: [],
    from: [0],
    feature: [],
    least: [],
    below: [],
    takesMissing: [],
    share: [],
  };
  let longest = 0;
  const way: Step[] = [];
  const walk = (node: number): void => {
    const left = left_children[node]!;
    if (left < 0) {
      for (const step of way) {
        found.feature.push(step.feature);
        found.least.push(step.least);
        found.below.push(step.below);
        found.takesMissing.push(step.takesMissing);
        found.share.push(step.share);
      }
      longest = Math.max(longest, way.length);
      found.values.push(Math.fround(split_conditions[node]!));
      found.from.push(found.feature.length);
      return;
    }
    const right = right_children[node]!;
    const feature = split_indices[node]!;
    const border = Math.fround(split_conditions[node]!);
    const both = sum_hessian[left]! + sum_hessian[right]!;
    const leftShare = both > 0 ? sum_hessian[left]! / both : 0.5;
    const place = way.findIndex((step) => step.feature === feature);
    const before = way[place] ?? { ...anything, feature };
    const isLeftForMissing = default_left[node] === 1;
    const go = (step: Step, child: number): void => {
      if (place >= 0) way[place] = step;
      else way.push(step);
      walk(child);
      if (place >= 0) way[place] = before;
      else way.pop();
    };
    const { least, below, takesMissing, share } = before;
    go(
      {
        feature,
        least,
        below: Math.min(below, border),
        takesMissing: takesMissing && isLeftForMissing,
        share: share * leftShare,
      },
      left,
    );
    go(
      {
        feature,
        least: Math.max(least, border),
        below,
        takesMissing: takesMissing && !isLeftForMissing,
        share: share * (1 - leftShare),
      },
      right,
    );
  };
  walk(0);
  return { ...found, longest };
}

interface Step {
  readonly feature: number;
  readonly least: number;
  readonly below: number;
  readonly takesMissing: boolean;
  readonly share: number;
}

const anything = {
  least: Number.NEGATIVE_INFINITY,
  below: Number.POSITIVE_INFINITY,
  takesMissing: true,
  share: 1,
} as const;
