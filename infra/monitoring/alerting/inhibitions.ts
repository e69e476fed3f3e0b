/** What silences what: `source` while it fires silences `target` where the labels of `equal` have the same values. */
export interface Inhibition {
  readonly why: string;
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly equal: readonly string[];
}

/** What a process showed of itself before it went, left behind by `keep_firing_for`. */
const ofTheProcess = [
  "DatabasePoolSaturated",
  "EventLoopBlocked",
  "FileDescriptorsNearLimit",
  "HeapNearLimit",
  "ProcessRestarting",
  "SeriesLimitNear",
  "StateUnreadable",
];

/**
 * What a deployment lacks while all of its processes are down: nothing is taken from the queue, no cycle runs. While one
 * works, it lacks them for a reason of its own, or since that one has another role: somebody must hear of it.
 */
const ofTheDeployment = [
  "DatasetTtlFailing",
  "DatasetTtlLagging",
  "DatasetTtlStopped",
  "TrainingQueueBacklog",
  "TrainingQueueStalled",
  "TrainingStartBudgetBurn",
  "TrainingWorkersMissing",
];

const oneOf = (names: readonly string[]): string => `alertname=~"${names.join("|")}"`;

export const inhibitions: readonly Inhibition[] = [
  {
    why: "A target that is down silences what it showed of itself.",
    source: ['alertname="BackendTargetDown"'],
    target: [oneOf(ofTheProcess)],
    equal: ["job", "instance"],
  },
  {
    why: "All of them down or unknown silence what the deployment lacks because of it, too.",
    source: ['alertname=~"BackendTargetDown|BackendTargetMissing"', 'instance=""'],
    target: [oneOf(ofTheDeployment)],
    equal: ["job"],
  },
  {
    why: "Who has been woken for an objective needs no mail about the same.",
    source: ['severity="critical"', 'objective!=""'],
    target: ['severity=~"warning|ticket"', 'objective!=""'],
    equal: ["job", "objective"],
  },
  {
    why: "Where no cycle succeeds, lag and failures follow.",
    source: ['alertname="DatasetTtlStopped"'],
    target: ['alertname=~"DatasetTtlLagging|DatasetTtlFailing"'],
    equal: ["job"],
  },
];
