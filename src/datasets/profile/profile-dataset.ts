import { datasetProfiled } from "../../monitoring/metrics.ts";
import { withSpan } from "../../monitoring/spans.ts";
import { isFileMissing } from "../../storage/storage-fault.ts";
import type { CsvEngines } from "../engines/csv-engines.ts";
import { onTable } from "../engines/on-table.ts";
import { dialectOf, findDatasetToProfile, keptFileOf } from "../kept/dataset-repository.ts";
import { makeTypedCopy, type TypedCopyParts } from "../typed/make-typed-copy.ts";
import { profileCsv } from "./profile-csv.ts";
import { markFileMissing, setProfile } from "./profile-repository.ts";

/** What making a profile needs. */
export interface ProfileParts extends TypedCopyParts {
  readonly csvEngines: CsvEngines;
}

/**
 * Makes what a dataset lacks of its typed copy and its column profile, in the background after its upload. A dataset gone
 * meanwhile is no fault.
 * @param signal ends it in the middle, with its reason
 */
export function profileDataset(parts: ProfileParts, datasetId: string, signal?: AbortSignal): Promise<void> {
  return withSpan("dataset profile", { datasetId }, () => makeProfile(parts, datasetId, signal));
}

async function makeProfile(parts: ProfileParts, datasetId: string, signal: AbortSignal | undefined): Promise<void> {
  const { db, storage } = parts;
  try {
    // Corrected in the meantime it is made anew at once: its job, which is this one, is sent only where none runs.
    while (!(await isProfileMade(parts, datasetId, signal)));
  } catch (error) {
    if (!isFileMissing(error) && (await storage.exists("dataset", datasetId))) throw error;
    await markFileMissing(db, datasetId);
  }
}

/** @returns false where the dataset was corrected meanwhile */
async function isProfileMade(
  parts: ProfileParts,
  datasetId: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { db, storage, csvEngines } = parts;
  const startedMs = performance.now();
  const dataset = await findDatasetToProfile(db, datasetId);
  if (dataset === undefined) return true;
  const lacksProfile = !dataset.has_profile && dataset.profile_fault === null;
  const dialect = dialectOf(dataset);
  const { columns, owner } = dataset;
  const table = { ...keptFileOf(dataset), dialect };
  const isMade = await onTable(
    storage,
    csvEngines.profiles,
    { owner, signal },
    table,
    async (reader, csvPath, ended) => {
      await makeTypedCopy(parts, dataset, { reader, csvPath, signal: ended });
      // Of the file itself: it tells values by their spelling, which numbers have lost.
      return !lacksProfile || (await setProfile(db, dataset, await profileCsv(reader, csvPath, { columns, dialect })));
    },
  );
  if (isMade && lacksProfile) datasetProfiled({ durationSeconds: (performance.now() - startedMs) / 1000 });
  return isMade;
}
