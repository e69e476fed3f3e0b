import { seededRandom } from "./split-rows.ts";

/** Which rows and features a tree learns from. */
export interface TreeSampler {
  /** Rows of a round, ascending. */
  rowsOfRound(): Int32Array;
  /** Features of a tree, ascending. */
  featuresOfTree(): Int32Array;
}

/** Draws without replacement; a share of 1 is all, and takes nothing from the random numbers. */
export function treeSampler(
  rows: Int32Array,
  featureCount: number,
  shares: { readonly subsample: number; readonly colsampleByTree: number; readonly seed: number },
): TreeSampler {
  const random = seededRandom(shares.seed);
  const features = Int32Array.from({ length: featureCount }, (_, feature) => feature);
  return {
    rowsOfRound: () => draw(rows, Math.round(rows.length * shares.subsample), random),
    // Rounded down, as XGBoost does.
    featuresOfTree: () => draw(features, Math.floor(featureCount * shares.colsampleByTree), random),
  };
}

/** So many of them, and one at least, in their order: each has the same chance (Knuth's algorithm S). */
function draw(from: Int32Array, count: number, random: () => number): Int32Array {
  const wanted = Math.max(1, count);
  if (wanted >= from.length) return from;
  const drawn = new Int32Array(wanted);
  let taken = 0;
  for (let at = 0; taken < wanted; at++) {
    if (random() * (from.length - at) < wanted - taken) drawn[taken++] = from[at]!;
  }
  return drawn;
}
