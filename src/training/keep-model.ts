import { v7 as uuidv7 } from "uuid";
import { insertArtifact } from "../artifacts/artifact-repository.ts";
import type { Clock } from "../clock.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { inTransaction, mayStand } from "../store/commit.ts";
import type { Store } from "../store/database.ts";
import { hasArtifact, markSucceeded, type Run } from "./run-repository.ts";
import type { ChildResult } from "./training-child.ts";

type ModelResult = Exclude<ChildResult, { dataError: unknown }>;

interface KeepingParts {
  readonly db: Store["db"];
  readonly storage: FileStorage;
  readonly clock: Clock;
}

/**
 * Keeps the model of an attempt: file first, then artifact and state in one transaction, only if the run is still this
 * attempt's.
 * @returns whether it was
 */
export async function keepModel(
  parts: KeepingParts,
  run: Run,
  modelPath: string,
  result: ModelResult,
): Promise<boolean> {
  const { db, storage } = parts;
  const artifactId = uuidv7();
  const { sizeBytes, sha256 } = result;
  await storage.keep(modelPath, "artifact", { id: artifactId, sizeBytes, sha256 });
  const isKept = await commitModel(parts, run, artifactId, result).catch(async (error) => {
    // Only the answer may be lost; while nobody knows, the file stays for the run or for the sweep of orphans.
    if (!mayStand(error)) await storage.remove("artifact", artifactId);
    else if (await hasArtifact(db, run.id, artifactId)) return true;
    throw error;
  });
  if (!isKept) await storage.remove("artifact", artifactId);
  return isKept;
}

function commitModel(
  { db, clock }: Pick<KeepingParts, "db" | "clock">,
  run: Run,
  artifactId: string,
  {
    mode,
    metrics: measured,
    droppedColumns,
    input,
    columnUses,
    columnWarnings,
    leaderboard,
    keptMeasures,
    sizeBytes,
    sha256,
  }: ModelResult,
): Promise<boolean> {
  const nowMs = clock.nowMs();
  const { curves, intervals, importances, ...told } = measured;
  const metricDetails = { ...(curves && { curves }), intervals, importances };
  const metrics = { ...told, droppedColumns };
  return inTransaction(db, async (tx) => {
    const { id, attempt } = run;
    const succeeded = await markSucceeded(tx, {
      id,
      attempt,
      metrics,
      metricDetails,
      columnUses,
      columnWarnings,
      leaderboard,
      keptMeasures,
      artifactId,
      nowMs,
    });
    if (succeeded === undefined) return false;
    await insertArtifact(tx, {
      id: artifactId,
      owner: run.owner,
      runId: run.id,
      datasetId: run.dataset_id,
      mode,
      task: run.task,
      target: run.target,
      metrics,
      input,
      sizeBytes,
      sha256,
      createdAt: new Date(nowMs),
    });
    return true;
  });
}
