/**
 * What silences what at the same moment; what outlasts its cause, as the windows of an error budget do, is left out by the
 * rules themselves (rules/known-causes.ts). `source` while it fires silences `target` where the labels of `equal` have the
 * same values.
 */
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
    why: "All of them down is said once, and not of each as well.",
    source: ['alertname="BackendTargetDown"', 'targets="all"'],
    target: ['alertname="BackendTargetDown"', 'targets=""'],
    equal: ["job"],
  },
  {
    why: "Statements wait for connections to a database that is away.",
    source: ['alertname="StateUnreadable"'],
    target: ['alertname="DatabasePoolSaturated"'],
    equal: ["job", "instance"],
  },
  {
    why: "Where nobody trains, the queue stands still and grows.",
    source: ['alertname="TrainingWorkersMissing"'],
    target: ['alertname=~"TrainingQueueBacklog|TrainingQueueStalled"'],
    equal: ["job"],
  },
  {
    why: "A disk that is full is nearly full, too.",
    source: ['alertname="StorageNearlyFull"', 'reason="full"'],
    target: ['alertname="StorageNearlyFull"', 'reason=~"share|prediction"'],
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
