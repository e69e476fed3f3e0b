import { artifactTotals } from "./artifacts/artifact-repository.ts";
import { systemClock } from "./clock.ts";
import { datasetTotals, readTtlState } from "./datasets/kept/dataset-repository.ts";
import type { DeploymentState } from "./monitoring/state-gauges.ts";
import type { JobQueue } from "./queue/job-queue.ts";
import type { Config } from "./settings/config.ts";
import type { Store } from "./store/database.ts";

/** What the gauges of the deployment show: one reading of rows and jobs, the same whichever process makes it. */
export async function readDeploymentState(store: Store, queue: JobQueue, config: Config): Promise<DeploymentState> {
  const [datasets, artifacts, jobs, ttl] = await Promise.all([
    datasetTotals(store.db),
    artifactTotals(store.db),
    queue.counts("training"),
    readTtlState(store.db, config, systemClock),
  ]);
  return {
    datasets: datasets.count,
    storageBytes: { dataset: datasets.sizeBytes, artifact: artifacts.sizeBytes },
    queueJobs: { queued: jobs.queued, active: jobs.active, retry: jobs.retry, failed: jobs.failed },
    queueOldestAgeSeconds: jobs.oldestAgeSeconds,
    ttlLagSeconds: ttl.lagSeconds,
    ttlLastSuccessTimestampSeconds: ttl.lastSuccessTimestampSeconds,
    ttlEnabled: config.datasetTtlDays > 0,
    ttlIntervalSeconds: config.ttlIntervalSeconds,
    filesMissing: { dataset: datasets.filesMissing, artifact: artifacts.filesMissing },
  };
}
