import type { Task } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";

interface Measured {
  readonly task: Task;
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

/** Says in a word or two how good a run's model is, for lists. */
export function useQuality(): (of: Measured) => string {
  const { texts, formats } = useSpeech();
  return ({ task, metrics }) => {
    const value = metrics?.[task === "classification" ? "accuracy" : "r2"];
    if (typeof value !== "number") return texts.none;
    return task === "classification"
      ? texts.lists.accuracy(formats.percent(value, 1))
      : texts.lists.r2(formats.measured(value));
  };
}
