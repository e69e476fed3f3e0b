/** What silences what: `source` while it fires silences `target` where the labels of `equal` have the same values. */
export interface Inhibition {
  readonly why: string;
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly equal: readonly string[];
}

/**
 * Alerts that a target which is down causes by itself, or leaves behind until their `keep_firing_for` is over; alerts
 * on Prometheus and Alertmanager themselves are none of them.
 */
export const symptomsOfTargetDown: Readonly<Record<"sameInstance" | "sameJob", readonly string[]>> = {
  sameInstance: [
    "DatabasePoolSaturated",
    "EventLoopBlocked",
    "FileDescriptorsNearLimit",
    "HeapNearLimit",
    "MetricsDropped",
    "ProcessRestarting",
    "SeriesLimitNear",
    "StateUnreadable",
    "StorageNearlyFull",
    "TelemetryExportFailing",
  ],
  // They have no instance: where the only worker is down, there are no workers, and nothing is taken from the queue.
  sameJob: ["BackendTargetMissing", "TrainingQueueBacklog", "TrainingQueueStalled", "TrainingWorkersMissing"],
};

const oneOf = (names: readonly string[]): string => `alertname=~"${names.join("|")}"`;

export const inhibitions: readonly Inhibition[] = [
  {
    why: "A target that is down silences what it shows by itself.",
    source: ['alertname="BackendTargetDown"'],
    target: [oneOf(symptomsOfTargetDown.sameInstance)],
    equal: ["job", "instance"],
  },
  {
    why: "It silences what the deployment lacks because of it, too.",
    source: ['alertname="BackendTargetDown"'],
    target: [oneOf(symptomsOfTargetDown.sameJob)],
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
