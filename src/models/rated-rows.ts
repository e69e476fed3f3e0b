import { classDecider, type Decision } from "./decide-class.ts";
import { bytesAt, numbersAt, placesOf, risingOrder } from "./in-order.ts";

/** What the held-out rows of classes really are, and what was said of them. */
export interface ClassEvaluation {
  readonly task: "classification";
  readonly classes: readonly string[];
  readonly actual: ArrayLike<number>;
  /** Chance of class k for row r at `r * classes + k`. */
  readonly probabilities: Float64Array;
  /** Share of each class among the training rows: what the baseline says. */
  readonly priors: readonly number[];
  /** The one of two classes that is looked for; the rarer one of the training rows where absent. */
  readonly positiveClass?: string | undefined;
  readonly decision?: Decision | undefined;
}

/** Held-out rows of classes, ready to be counted with any weights. */
export interface RatedRows {
  readonly classes: readonly string[];
  /** By row; of two classes in falling order of the positive one's chance. */
  readonly actual: Uint8Array;
  readonly said: Uint8Array;
  /** −log of the chance that was given to the truth. */
  readonly losses: Float64Array;
  /** The same of the baseline. */
  readonly naiveLosses: Float64Array;
  /** Of two classes only. */
  readonly positive?: { readonly index: number; readonly chances: Float64Array } | undefined;
}

/** No chance counts as less, or a single row that was never thought possible would make the mean infinite. */
export const leastChance = 1e-15;

/** The place of the rarer of two classes, of equals the second. */
export const rarerOfTwo = (shares: readonly number[]): number => (shares[0]! < shares[1]! ? 0 : 1);

/** Rates each row. */
export function rateRows(evaluation: ClassEvaluation): RatedRows {
  const { classes, probabilities, priors, positiveClass } = evaluation;
  const places = placesOf(evaluation.actual.length);
  if (classes.length !== 2) return rateInOrder(evaluation, places);
  const index = positiveClass === undefined ? rarerOfTwo(priors) : classes.indexOf(positiveClass);
  const chances = numbersAt(places, (row) => probabilities[2 * row + index]!);
  const order = risingOrder(chances).reverse();
  return {
    ...rateInOrder(evaluation, order),
    positive: { index, chances: numbersAt(order, (row) => chances[row]!) },
  };
}

/** Rates some rows, in that order. @param order places of rows */
export function rateInOrder(
  { classes, actual, probabilities, priors, decision }: ClassEvaluation,
  order: Int32Array,
): RatedRows {
  const decide = classDecider(classes, decision);
  const lossOf = (chance: number): number => -Math.log(Math.max(chance, leastChance));
  const naiveLosses = priors.map(lossOf);
  return {
    classes,
    actual: bytesAt(order, (row) => actual[row]!),
    said: bytesAt(order, (row) => decide(probabilities, row * classes.length)),
    losses: numbersAt(order, (row) => lossOf(probabilities[row * classes.length + actual[row]!]!)),
    naiveLosses: numbersAt(order, (row) => naiveLosses[actual[row]!]!),
  };
}

/** The same rows as the baseline rates them: the shares of the training rows for each, the most frequent class said of all. */
export function rateNaively(rows: RatedRows, priors: readonly number[]): RatedRows {
  const { actual, naiveLosses, positive } = rows;
  const said = new Uint8Array(actual.length).fill(classDecider(rows.classes, undefined)(priors, 0));
  const chances = positive && new Float64Array(actual.length).fill(priors[positive.index]!);
  return { ...rows, said, losses: naiveLosses, positive: positive && { ...positive, chances: chances! } };
}

/** Some of them, in their order. */
export function pickRated(rows: RatedRows, places: Int32Array): RatedRows {
  const { positive } = rows;
  const pick = (numbers: Float64Array): Float64Array => numbersAt(places, (row) => numbers[row]!);
  return {
    classes: rows.classes,
    actual: bytesAt(places, (row) => rows.actual[row]!),
    said: bytesAt(places, (row) => rows.said[row]!),
    losses: pick(rows.losses),
    naiveLosses: pick(rows.naiveLosses),
    positive: positive && { ...positive, chances: pick(positive.chances) },
  };
}
