import type { MetricDefinition } from "./metric-definition.ts";
import { trainingTasks } from "./training.ts";

export const predictionOutcomes = ["succeeded", "rejected", "failed", "aborted"] as const;
/** `unknown`: the model's row could not be read, or there is none. */
export const predictionTasks = [...trainingTasks, "unknown"] as const;

/** How predictions end, and how long they take. */
export const predictionMetrics = {
  predictions: {
    name: "mlops.backend.predictions",
    kind: "counter",
    unit: "{request}",
    description: "Prediction requests by how they ended.",
    attributes: { task: predictionTasks, outcome: predictionOutcomes },
    impossible: [{ task: "unknown", outcome: "succeeded" }],
    scope: "process",
    role: "api",
    fromStart: true,
  },
  predictionRows: {
    name: "mlops.backend.prediction.rows",
    kind: "counter",
    unit: "{row}",
    description: "Rows predicted.",
    attributes: { task: trainingTasks },
    scope: "process",
    role: "api",
    fromStart: true,
  },
  predictionUnknownValues: {
    name: "mlops.backend.prediction.unknown_values",
    kind: "counter",
    unit: "{value}",
    description: "Values in predicted rows that the model never saw: as good as missing, or as rare ones.",
    attributes: { task: trainingTasks },
    scope: "process",
    role: "api",
    fromStart: true,
  },
  predictionDuration: {
    name: "mlops.backend.prediction.duration",
    kind: "histogram",
    unit: "s",
    description: "Time to answer a prediction request that succeeded.",
    attributes: { task: trainingTasks },
    bounds: [0.005, 0.025, 0.1, 0.5, 2.5],
    scope: "process",
    role: "api",
    fromStart: true,
  },
} as const satisfies Record<string, MetricDefinition>;
