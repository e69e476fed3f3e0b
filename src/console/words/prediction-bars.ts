import type { Prediction } from "../api/answers.ts";
import type { Bar } from "./quality.ts";

/** The chances of the classes, the likeliest first; none of a number. */
export function chanceBars(probabilities: Prediction["probabilities"] = {}): Bar[] {
  return Object.entries(probabilities)
    .map(([name, value]) => ({ name, value, length: value }))
    .sort((one, other) => other.value - one.value);
}
