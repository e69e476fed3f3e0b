import type { RunMetrics } from "../api/answers.ts";

/** A curve of a model's chances, point by point from left to right, and what guessing would be. */
export interface Curve {
  readonly name: "roc" | "precisionRecall" | "calibration";
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly guessing: readonly number[] | undefined;
}

/** Points by x: a chart is drawn, and read by a pointer, from left to right. */
function sorted(x: readonly number[], y: readonly number[]): Pick<Curve, "x" | "y"> {
  const order = x.map((_, place) => place).sort((one, other) => x[one]! - x[other]! || y[one]! - y[other]!);
  return { x: order.map((place) => x[place]!), y: order.map((place) => y[place]!) };
}

/** The curves that a run has: of two classes those of the one that is looked for. */
export function curvesOf({ curves, baseline }: RunMetrics): Curve[] {
  if (curves === undefined) return [];
  const { roc, precisionRecall, calibration } = curves;
  const found: Curve[] = [];
  if (roc !== undefined) found.push({ name: "roc", ...sorted(roc.fpr, roc.tpr), guessing: [...roc.fpr].sort(byValue) });
  if (precisionRecall !== undefined) {
    // However it guesses, as many of what it names are of the class as there are.
    const share = baseline?.averagePrecision;
    const points = sorted(precisionRecall.recall, precisionRecall.precision);
    found.push({
      name: "precisionRecall",
      ...points,
      guessing: share === undefined ? undefined : points.x.map(() => share),
    });
  }
  // One bin is a point, and no curve.
  if (calibration.probPred.length > 1) {
    const points = sorted(calibration.probPred, calibration.probTrue);
    found.push({ name: "calibration", ...points, guessing: points.x });
  }
  return found;
}

const byValue = (one: number, other: number): number => one - other;
