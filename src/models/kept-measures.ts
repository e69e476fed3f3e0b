import { numbersOf } from "./bootstrap.ts";
import type { Evaluation } from "./evaluate.ts";
import { type FoldScore, meanOf, withSharedBaseline } from "./fold-metrics.ts";
import { rateInOrder } from "./rated-rows.ts";

/** More rows are not kept: 5,000 tell the mean of a difference within 3 % of the deviation of a single row's, and are 50 KB. */
const mostRows = 5_000;

/** What is kept of a measuring, so that another model can be compared on the same rows; plain JSON. */
export type KeptMeasures = { readonly mark: string; readonly rows: number } & (KeptRows | KeptFolds);

/** Of rows that were held out once. */
interface KeptRows {
  readonly kind: "rows";
  /** Of classes −log of the chance that was given to the truth, of numbers the distance; to six digits. */
  readonly losses: readonly number[];
  /** Of classes: a 1 where it was said rightly, else a 0. */
  readonly right?: string;
}

/** Of folds. */
export interface KeptFolds {
  readonly kind: "folds";
  /** Mean of rows measured on ÷ rows learnt from. */
  readonly ratio: number;
  /** By fold: metrics that it can tell. */
  readonly folds: readonly Readonly<Record<string, number>>[];
}

/**
 * Which rows were measured on, fold by fold, and what they really are: the same mark, the same rows. 64 bits, mixed as
 * MurmurHash3 does: no more than chance has to be kept out, for nobody deceives but himself.
 */
export function markRows() {
  const states = Uint32Array.of(0x9747b28c, 0x5bd1e995);
  let rows = 0;
  const mix = (word: number): void => {
    for (const [at, state] of states.entries()) {
      let mixed = Math.imul(word ^ (at * 0x27d4eb2f), 0xcc9e2d51);
      mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593) ^ state;
      states[at] = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
    }
  };
  return {
    /** @param places of the target, in the order of `actual` */
    add(places: Int32Array, actual: ArrayLike<number>): void {
      mix(places.length);
      places.forEach(mix);
      new Uint32Array(Float64Array.from(actual).buffer).forEach(mix);
      rows += places.length;
    },
    digest: () => ({ mark: [...states].map((state) => state.toString(16).padStart(8, "0")).join(""), rows }),
  };
}

/** @param heldOut places of the target, in the order of the evaluation's rows */
export function keepRows(evaluation: Evaluation, heldOut: Int32Array): KeptMeasures {
  const mark = markRows();
  mark.add(heldOut, evaluation.actual);
  const places = placesToKeep(heldOut.length);
  if (evaluation.task === "regression") {
    const { actual, predicted } = evaluation;
    const losses = Array.from(places, (row) => short(Math.abs(predicted[row]! - actual[row]!)));
    return { ...mark.digest(), kind: "rows", losses };
  }
  const { actual, said, losses } = rateInOrder(evaluation, places);
  const right = Array.from(actual, (truth, row) => Number(truth === said[row])).join("");
  return { ...mark.digest(), kind: "rows", losses: Array.from(losses, short), right };
}

/** @param marked which rows the folds are of */
export function keepFolds(scores: readonly FoldScore[], marked: Pick<KeptMeasures, "mark" | "rows">): KeptMeasures {
  const ratio = meanOf(scores.map((score) => score.ratio));
  const folds = withSharedBaseline(scores).map(({ measured }) =>
    Object.fromEntries(
      Object.entries(numbersOf(measured).all).filter((entry): entry is [string, number] => entry[1] !== undefined),
    ),
  );
  return { ...marked, kind: "folds", ratio, folds };
}

/** Evenly among all, by their number alone: two models that were measured on the same rows keep the same of them. */
function placesToKeep(rowCount: number): Int32Array {
  const kept = Math.min(rowCount, mostRows);
  return Int32Array.from({ length: kept }, (_, at) => Math.floor(((at + 0.5) * rowCount) / kept));
}

const short = (value: number): number => Number(value.toPrecision(6));
