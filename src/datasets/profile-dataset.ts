import type { Kysely } from "kysely";
import { datasetProfiled } from "../monitoring/metrics.ts";
import { withSpan } from "../monitoring/spans.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { isFileMissing } from "../storage/storage-fault.ts";
import type { Tables } from "../store/schema.ts";
import type { CsvEngine } from "./csv-engine.ts";
import { findDatasetToProfile, keptFileOf, setProfile } from "./dataset-repository.ts";
import { profileCsv } from "./profile-csv.ts";
import { markFileMissing } from "./profile-repository.ts";

/** What making a profile needs. */
export interface ProfileParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly csvEngine: CsvEngine;
}

/** Makes the column profile of a dataset, in the background after its upload. A dataset gone meanwhile is no fault. */
export function profileDataset(parts: ProfileParts, datasetId: string): Promise<void> {
  return withSpan("dataset profile", { datasetId }, () => makeProfile(parts, datasetId));
}

async function makeProfile({ db, storage, csvEngine }: ProfileParts, datasetId: string): Promise<void> {
  const startedMs = performance.now();
  const dataset = await findDatasetToProfile(db, datasetId);
  if (dataset === undefined) return;
  try {
    await using csv = await storage.localFile("dataset", keptFileOf(dataset));
    await setProfile(db, datasetId, await profileCsv(csvEngine, csv.path, dataset.columns));
  } catch (error) {
    if (!isFileMissing(error) && (await storage.exists("dataset", datasetId))) throw error;
    return markFileMissing(db, datasetId);
  }
  datasetProfiled({ durationSeconds: (performance.now() - startedMs) / 1000 });
}
