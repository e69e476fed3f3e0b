import type { DeploymentState } from "../../src/monitoring/state-gauges.ts";

/** What a small deployment reads of itself. */
export const deploymentState: DeploymentState = {
  datasets: 3,
  storageBytes: { dataset: 10, artifact: 20 },
  queueJobs: { queued: 1, active: 0, retry: 0, failed: 0 },
  queueOldestAgeSeconds: 7,
  ttlLagSeconds: 0,
  ttlLastSuccessTimestampSeconds: 1_700_000_000,
  ttlEnabled: true,
  ttlIntervalSeconds: 3600,
  filesMissing: { dataset: 0, artifact: 0 },
};
