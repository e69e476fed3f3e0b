import type { Kysely } from "kysely";
import { datasetProfiled } from "../monitoring/metrics.ts";
import { withSpan } from "../monitoring/spans.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { isFileMissing } from "../storage/storage-fault.ts";
import type { Tables } from "../store/schema.ts";
import type { CsvEngines } from "./csv-engines.ts";
import { dialectOf, findDatasetToProfile, keptFileOf, setProfile } from "./dataset-repository.ts";
import { profileCsv } from "./profile-csv.ts";
import { markFileMissing } from "./profile-repository.ts";

/** What making a profile needs. */
export interface ProfileParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly csvEngines: CsvEngines;
}

/**
 * Makes the column profile of a dataset, in the background after its upload. A dataset gone meanwhile is no fault.
 * @param signal ends it in the middle, with its reason
 */
export function profileDataset(parts: ProfileParts, datasetId: string, signal?: AbortSignal): Promise<void> {
  return withSpan("dataset profile", { datasetId }, () => makeProfile(parts, datasetId, signal));
}

async function makeProfile(
  { db, storage, csvEngines }: ProfileParts,
  datasetId: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const startedMs = performance.now();
  const dataset = await findDatasetToProfile(db, datasetId);
  if (dataset === undefined) return;
  try {
    await using csv = await storage.localFile("dataset", keptFileOf(dataset));
    const profile = await csvEngines.profiles.use({ owner: dataset.owner, signal }, (reader) =>
      profileCsv(reader, csv.path, { columns: dataset.columns, dialect: dialectOf(dataset) }),
    );
    await setProfile(db, datasetId, profile);
  } catch (error) {
    if (!isFileMissing(error) && (await storage.exists("dataset", datasetId))) throw error;
    return markFileMissing(db, datasetId);
  }
  datasetProfiled({ durationSeconds: (performance.now() - startedMs) / 1000 });
}
