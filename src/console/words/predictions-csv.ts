import type { Prediction } from "../api/answers.ts";

const quoted = (cell: string | number): string => {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/**
 * What a model says of rows, as a CSV: by the rows' numbers from 1, with the chance of each class where there are classes, and the
 * columns whose values it never saw where some are.
 */
export function predictionsCsv(predictions: readonly Prediction[]): string {
  const classes = Object.keys(predictions[0]?.probabilities ?? {});
  const hasUnknown = predictions.some(({ unknown = [] }) => unknown.length > 0);
  const head = ["row", "prediction", ...classes.map((name) => `chance of ${name}`), ...(hasUnknown ? ["unknown"] : [])];
  const lines = predictions.map(({ prediction, probabilities = {}, unknown = [] }, place) => [
    place + 1,
    prediction,
    ...classes.map((name) => probabilities[name] ?? ""),
    ...(hasUnknown ? [unknown.join("; ")] : []),
  ]);
  return [head, ...lines].map((cells) => `${cells.map(quoted).join(",")}\n`).join("");
}
