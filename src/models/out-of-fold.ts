import { numbersAt } from "./in-order.ts";
import type { XgboostModel } from "./model.ts";
import { seededRandom } from "./split-rows.ts";
import { predictXgboost } from "./xgboost-json.ts";

/** Each is learnt without once: two more models' work, since each learns from two thirds. */
const foldCount = 3;

/** What of the way is behind when all of these have been learnt and the model itself has not: it learns from more rows. */
export const shareOfFolds = (foldCount - 1) / foldCount;

/** Rows that are learnt from. */
interface FoldedRows {
  readonly columns: readonly Float32Array[];
  readonly target: Float64Array;
  /** How much each row counts; all the same when absent. */
  readonly weights?: Float64Array | undefined;
}

/** Rows that are learnt from, and how. */
export interface OutOfFold extends FoldedRows {
  readonly seed: number;
  readonly learn: (part: FoldedRows, onProgress: (fraction: number) => void) => XgboostModel;
}

/**
 * What is said of each row by a model that was learnt without it, every class in its share. Means that stand for missing
 * cells, and which categories there are, are of all rows: neither knows the target.
 */
export function predictOutOfFold(
  { columns, target, weights, seed, learn }: OutOfFold,
  onProgress: (fraction: number) => void,
): Float64Array {
  const foldOf = dealOut(target, seed);
  const places = Int32Array.from(target.keys());
  const outputs = new Float64Array(target.length);
  for (let fold = 0; fold < foldCount; fold++) {
    const kept = places.filter((place) => foldOf[place] !== fold);
    const aside = places.filter((place) => foldOf[place] === fold);
    const part = {
      columns: pick(columns, kept),
      target: numbersAt(kept, (place) => target[place]!),
      weights: weights && numbersAt(kept, (place) => weights[place]!),
    };
    const model = learn(part, (fraction) => onProgress((fold + fraction) / foldCount));
    const said = predictXgboost(model, pick(columns, aside), aside.length);
    for (const [at, place] of aside.entries()) outputs[place] = said[at]!;
  }
  return outputs;
}

const pick = (columns: readonly Float32Array[], places: Int32Array): Float32Array[] =>
  columns.map((column) => Float32Array.from(places, (place) => column[place]!));

/** The rows of each class shuffled, and dealt out in turn. */
function dealOut(target: Float64Array, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const foldOf = new Uint8Array(target.length);
  let turn = 0;
  for (const members of Map.groupBy(target.keys(), (place) => target[place]!).values()) {
    for (let last = members.length - 1; last >= 0; last--) {
      const other = Math.floor(random() * (last + 1));
      foldOf[members[other]!] = turn++ % foldCount;
      members[other] = members[last]!;
    }
  }
  return foldOf;
}
