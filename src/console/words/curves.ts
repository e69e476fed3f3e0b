import type { RunMetrics } from "../api/answers.ts";

/** A curve of a model's chances, point by point from left to right, and what guessing would be. */
export interface Curve {
  readonly name: "roc" | "precisionRecall" | "calibration";
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly guessing: readonly number[] | undefined;
}

/** The curves that a run has: of two classes those of the one that is looked for. */
export function curvesOf({ curves, baseline }: RunMetrics): Curve[] {
  if (curves === undefined) return [];
  const { roc, precisionRecall, calibration } = curves;
  const found: Curve[] = [];
  if (roc !== undefined) found.push({ name: "roc", x: roc.fpr, y: roc.tpr, guessing: roc.fpr });
  if (precisionRecall !== undefined) {
    // Told from the lowest threshold on, by which all is found: from left to right it is the other way round. Not sorted, since
    // points of one recall have an order, too.
    const [x, y] = [precisionRecall.recall.toReversed(), precisionRecall.precision.toReversed()];
    // However it guesses, as many of what it names are of the class as there are.
    const share = baseline?.averagePrecision;
    found.push({ name: "precisionRecall", x, y, guessing: share === undefined ? undefined : x.map(() => share) });
  }
  const { probPred, probTrue } = calibration;
  // One bin is a point, and no curve.
  if (probPred.length > 1) found.push({ name: "calibration", x: probPred, y: probTrue, guessing: probPred });
  return found;
}
