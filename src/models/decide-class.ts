/** From which chance on a row is said to be of the positive one of two classes. */
export interface Decision {
  readonly positiveClass: string;
  /** A chance that reaches it is enough. */
  readonly threshold: number;
}

/** The most likely class of a row; the first of equals. */
export function likeliestClass(probabilities: ArrayLike<number>, from: number, classCount: number): number {
  let best = 0;
  for (let k = 1; k < classCount; k++) if (probabilities[from + k]! > probabilities[from + best]!) best = k;
  return best;
}

/**
 * Says which class the row of chances at `from` is: the most likely one, or of two the one that the threshold decides for.
 * @param decision absent where there is no threshold
 */
export function classDecider(
  classes: readonly string[],
  decision: Decision | undefined,
): (probabilities: ArrayLike<number>, from: number) => number {
  if (decision === undefined) return (probabilities, from) => likeliestClass(probabilities, from, classes.length);
  const positive = classes.indexOf(decision.positiveClass);
  return (probabilities, from) => (probabilities[from + positive]! >= decision.threshold ? positive : 1 - positive);
}
