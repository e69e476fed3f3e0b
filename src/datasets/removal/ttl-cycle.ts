import type { Span } from "@opentelemetry/api";
import type { Logger } from "../../log.ts";
import { ttlCycleFinished } from "../../monitoring/metrics.ts";
import { describeSpan, withSpan } from "../../monitoring/spans.ts";
import type { Config } from "../../settings/config.ts";
import { finishRemoval } from "../../storage/finish-removal.ts";
import { listDeletingDatasets, listExpiredDatasets, saveTtlSuccess } from "../kept/dataset-repository.ts";
import { ttlCutoff } from "../kept/ttl-policy.ts";
import { type RemovalParts, removeDataset } from "./remove-dataset.ts";

/** What a cycle needs. */
export interface TtlCycleParts extends RemovalParts {
  readonly config: Config;
  readonly log: Logger;
}

/** What a cycle did; `cutoff` is null when datasets are kept for ever. */
export interface TtlCycleReport {
  readonly cutoff: string | null;
  readonly limit: number;
  readonly deleted: number;
  readonly filesRemoved: number;
  readonly filesMissing: number;
  readonly errors: number;
}

/**
 * Removes expired datasets that no run uses, oldest first; one dataset's fault does not stop the others.
 * @param owner only this owner's, when a caller asks for a cycle; absent in the scheduled one
 */
export function runTtlCycle(parts: TtlCycleParts, owner?: string): Promise<TtlCycleReport> {
  return withSpan("ttl cycle", {}, (span) => removeExpired(parts, owner, span));
}

async function removeExpired(parts: TtlCycleParts, owner: string | undefined, span: Span): Promise<TtlCycleReport> {
  const { db, config, clock, log } = parts;
  const startedMs = performance.now();
  const limit = config.ttlBatchLimit;
  const cutoff = ttlCutoff(config.datasetTtlDays, clock.nowMs());
  const counts = { deleted: 0, filesRemoved: 0, filesMissing: 0, errors: 0 };

  const count = (outcome: "removed" | "removed without file" | "in use" | "gone"): void => {
    if (outcome === "removed" || outcome === "removed without file") {
      counts.deleted += 1;
      counts[outcome === "removed" ? "filesRemoved" : "filesMissing"] += 1;
    }
  };
  const guarded = async (id: string, work: () => Promise<void>): Promise<void> => {
    try {
      await withSpan("ttl dataset", { datasetId: id }, work);
    } catch (error) {
      counts.errors += 1;
      log.warn({ err: error, datasetId: id }, "an expired dataset could not be removed; the next cycle tries again");
    }
  };

  let isBroken = true;
  try {
    const leftOver = await listDeletingDatasets(db, limit, owner);
    for (const id of leftOver)
      await guarded(id, async () => {
        count((await finishRemoval(parts, "dataset", id)) ? "removed" : "removed without file");
      });
    const expired =
      cutoff === undefined ? [] : await listExpiredDatasets(db, cutoff, Math.max(0, limit - leftOver.length), owner);
    for (const id of expired) await guarded(id, async () => count(await removeDataset(parts, id)));
    // A caller's cycle says nothing of the others' datasets: the deployment's last success stays where it was.
    if (counts.errors === 0 && owner === undefined) await saveTtlSuccess(db, clock.nowMs());
    isBroken = false;
  } finally {
    const result = isBroken || counts.errors > 0 ? "failure" : counts.deleted > 0 ? "success" : "empty";
    describeSpan(span, { outcome: result });
    ttlCycleFinished({
      isScheduled: owner === undefined,
      result,
      durationSeconds: (performance.now() - startedMs) / 1000,
      datasetsRemoved: counts.deleted,
      filesRemoved: counts.filesRemoved,
      filesMissing: counts.filesMissing,
      errors: counts.errors + (isBroken ? 1 : 0),
    });
  }
  if (counts.deleted > 0) log.info({ deleted: counts.deleted, errors: counts.errors }, "expired datasets removed");
  return { cutoff: cutoff?.toISOString() ?? null, limit, ...counts };
}
