import type { MetricDefinition } from "./metric-definition.ts";

/** What a run asks for. */
export const trainingModes = ["light", "heavy", "auto"] as const;
/** What a model is: a run of the mode auto makes one of these. */
export const modelModes = ["light", "heavy"] as const;
export const trainingTasks = ["classification", "regression"] as const;
export const runOutcomes = ["succeeded", "failed", "cancelled"] as const;
export const runErrorTypes = ["data", "timeout", "out_of_memory", "crash", "storage", "database", "other"] as const;
/** Faults of what was sent, not of the system: nobody is woken by them. */
export const callersRunErrorTypes = [
  "data",
  "out_of_memory",
] as const satisfies readonly (typeof runErrorTypes)[number][];
export const queueJobStates = ["queued", "active", "retry", "failed"] as const;
export const workerSlotStates = ["busy", "idle"] as const;

/** 10.5 and not 10: Prometheus 3 rewrites whole-number `le` values, and rules name these. */
const trainingBounds = [0.1, 0.5, 2.5, 10.5, 60.5, 300.5, 600.5, 1200.5] as const;
const modeAndTask = { mode: trainingModes, task: trainingTasks } as const;

/** Training runs, their queue and the places for them. */
export const trainingMetrics = {
  trainingRuns: {
    name: "mlops.backend.training.runs",
    kind: "counter",
    unit: "{run}",
    description: "Training runs that reached a final state, once a run.",
    attributes: { ...modeAndTask, outcome: runOutcomes },
    scope: "process",
    fromStart: true,
  },
  trainingFailures: {
    name: "mlops.backend.training.failures",
    kind: "counter",
    unit: "{run}",
    description:
      "Failed training runs by cause; data and out_of_memory (more than TRAINING_MEMORY_BYTES) are the caller's, the others the system's.",
    attributes: { mode: trainingModes, "error.type": runErrorTypes },
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  trainingRetries: {
    name: "mlops.backend.training.retries",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts after the first.",
    attributes: { mode: trainingModes },
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  trainingDuration: {
    name: "mlops.backend.training.duration",
    kind: "histogram",
    unit: "s",
    description: "From the start of the last attempt to the end, succeeded runs only.",
    attributes: modeAndTask,
    bounds: trainingBounds,
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  trainingQueueWait: {
    name: "mlops.backend.training.queue.wait",
    kind: "histogram",
    unit: "s",
    description: "From the submission of a run to its first start.",
    attributes: { mode: trainingModes },
    bounds: trainingBounds,
    scope: "process",
    role: "worker",
    // A quantile needs no zero, and series at a fresh start are few: the first wait of each mode in a process shows in none.
    fromStart: false,
  },
  trainingQueueJobs: {
    name: "mlops.backend.training.queue.jobs",
    kind: "gauge",
    unit: "{job}",
    description: "Jobs in the training queue by state.",
    attributes: { state: queueJobStates },
    scope: "deployment",
    fromStart: false,
  },
  trainingQueueOldestAge: {
    name: "mlops.backend.training.queue.oldest_age",
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest job that waits; 0 when none does.",
    attributes: {},
    scope: "deployment",
    fromStart: false,
  },
  trainingWorkerSlots: {
    name: "mlops.backend.training.worker.slots",
    kind: "gauge",
    unit: "{slot}",
    description: "Places for trainings in this process.",
    attributes: { state: workerSlotStates },
    scope: "process",
    role: "worker",
    fromStart: false,
  },
  trainingTimeout: {
    name: "mlops.backend.training.timeout",
    kind: "gauge",
    unit: "s",
    description: "TRAINING_TIMEOUT_SECONDS.",
    attributes: {},
    scope: "process",
    fromStart: false,
  },
  trainingRelativeError: {
    name: "mlops.backend.training.relative_error",
    kind: "histogram",
    unit: "1",
    description: "The model's error divided by the naive baseline's, by the model's mode; above 1 is worse than naive.",
    attributes: { mode: modelModes, task: trainingTasks },
    // None beyond: how much worse than naive a useless model is helps nobody.
    bounds: [0.1, 0.25, 0.5, 0.75, 0.95, 1.05, 1.5],
    scope: "process",
    role: "worker",
    // As of the wait.
    fromStart: false,
  },
} as const satisfies Record<string, MetricDefinition>;
