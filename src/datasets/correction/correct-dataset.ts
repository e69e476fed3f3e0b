import { randomUUID } from "node:crypto";
import { constants, copyFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { v7 as uuidv7 } from "uuid";
import { DomainError } from "../../errors.ts";
import { withSpan } from "../../monitoring/spans.ts";
import { forgetTyped } from "../../storage/forget-typed.ts";
import { isFileMissing } from "../../storage/storage-fault.ts";
import { inTransaction } from "../../store/commit.ts";
import type { ColumnSummary, SaidOfTable } from "../../store/schema.ts";
import type { CheckedCsv } from "../checks/check-csv.ts";
import { checkTable } from "../checks/check-upload.ts";
import type { ServedAsker } from "../engines/engine-pool.ts";
import {
  type Dataset,
  type DatasetVersion,
  dialectOf,
  findDatasetForTraining,
  keptFileOf,
  listVersions,
} from "../kept/dataset-repository.ts";
import { existingDataset } from "../kept/existing-dataset.ts";
import { keepDataset } from "../upload/keep-dataset.ts";
import type { AcceptedDataset, ReceivingParts } from "../upload/receive-upload.ts";
import { type Correction, corrected, saidOf, wishesOf } from "./correction.ts";
import { hasRuns, holdUnused, setReading } from "./corrections-repository.ts";

/** So often may others change the dataset while it is read, before their sender hears of it. */
const mostRounds = 20;
const busyRetrySeconds = 2;

/** Who corrects what. */
interface CorrectionCall {
  /** Its signal is aborted when the caller has gone: then nothing is changed. */
  readonly asker: ServedAsker;
  readonly id: string;
  readonly correction: Correction;
}

/** A dataset's file read anew. */
interface Reread {
  readonly said: SaidOfTable;
  readonly checked: CheckedCsv;
  readonly csvPath: string;
}

/**
 * Reads a dataset's file anew by what is said of it now. As long as no run has used it, it is changed itself; else a new
 * version is made, and it stays. Nothing changes where nothing new is said, or nothing comes of it.
 * @returns the dataset, the new version, or the version that is so already
 * @throws DomainError for what is wrong with the file by what is said of it, DATASET_NOT_FOUND, QUOTA_EXCEEDED
 */
export function correctDataset(parts: ReceivingParts, call: CorrectionCall): Promise<AcceptedDataset> {
  return withSpan("dataset correct", { datasetId: call.id }, async () => {
    const { db, storage } = parts;
    const { id } = call;
    const { owner, signal, progress } = call.asker;
    const dataset = await existingDataset(db, owner, id);
    const known = saidOf(dataset);
    if (wishesOf(corrected(known, call.correction)) === wishesOf(known)) return unchanged(dataset);
    progress?.begin("fetching");
    try {
      await using file = await storage.localFile("dataset", keptFileOf(dataset), signal);
      return await readAndKeep(parts, call, file.path);
    } catch (error) {
      // It may have been removed while it was read: whoever reads a file that goes has a fault of any kind.
      if (!(error instanceof DomainError) || isFileMissing(error)) await existingDataset(db, owner, id);
      throw error;
    }
  });
}

const unchanged = (dataset: Dataset): AcceptedDataset => ({ dataset, isNew: false });

/** Others may change the dataset, or train on it, at the same time: then it is looked at again. */
async function readAndKeep(parts: ReceivingParts, call: CorrectionCall, csvPath: string): Promise<AcceptedDataset> {
  const { db } = parts;
  let last: { readonly wishes: string; readonly checked: CheckedCsv } | undefined;
  for (let round = 0; round < mostRounds; round += 1) {
    const dataset = await existingDataset(db, call.asker.owner, call.id);
    const known = saidOf(dataset);
    const said = corrected(known, call.correction);
    const wishes = wishesOf(said);
    if (wishes === wishesOf(known)) return unchanged(dataset);
    if (last?.wishes !== wishes) last = { wishes, checked: await readAnew(parts, call, { dataset, said, csvPath }) };
    call.asker.signal.throwIfAborted();
    call.asker.progress?.begin("keeping");
    const reread = { said, checked: last.checked, csvPath };
    const kept = (await hasRuns(db, dataset.id))
      ? await keepVersion(parts, dataset, reread)
      : await changeReading(parts, dataset, reread);
    if (kept !== undefined) return kept;
  }
  throw new DomainError("CHECKS_BUSY", "Others change this dataset all the time. Try again in a moment.", {
    retryAfterSeconds: busyRetrySeconds,
  });
}

function readAnew(
  { storage, csvEngines, config }: ReceivingParts,
  { asker }: CorrectionCall,
  { dataset, said, csvPath }: { readonly dataset: Dataset; readonly said: SaidOfTable; readonly csvPath: string },
): Promise<CheckedCsv> {
  const { format, encoding, isEncodingGuessed } = dialectOf(dataset).source;
  const { encoding: _, sheet, ...wished } = said;
  const source = {
    format,
    encoding,
    isUntidy: false,
    sheet,
    ...(isEncodingGuessed !== undefined && { isEncodingGuessed }),
  };
  // What was taken once can be read again, whatever the setting says now.
  const limits = { ...config, maxUploadBytes: Number.MAX_SAFE_INTEGER, maxEmptyRatio: 1 };
  const parts = { storage, checks: csvEngines.checks, limits };
  return withSpan("dataset check", {}, () => checkTable(parts, asker, { path: csvPath, source }, wished));
}

/** Whether cells are read as they were, so that what was made of them holds. */
function isReadAlike({ dialect, columns }: DatasetVersion, checked: CheckedCsv): boolean {
  const asKept = (value: object): unknown => JSON.parse(JSON.stringify(value));
  const readingOf = (all: readonly ColumnSummary[]) => all.map(({ missing: _, examples: __, ...read }) => read);
  return isDeepStrictEqual([dialect, readingOf(columns)], asKept([checked.dialect, readingOf(checked.columns)]));
}

const isAlike = (dataset: DatasetVersion, checked: CheckedCsv): boolean =>
  dataset.target === checked.target &&
  isDeepStrictEqual([...(dataset.said?.leftOut ?? [])].sort(), checked.leftOut.toSorted()) &&
  isReadAlike(dataset, checked);

/** @returns undefined where a run, or another correction, was faster */
async function changeReading(
  { db, queue, storage }: ReceivingParts,
  dataset: Dataset,
  { said, checked }: Reread,
): Promise<AcceptedDataset | undefined> {
  const { id } = dataset;
  const keepsProfile = isReadAlike(dataset, checked);
  const [accepted, lostId] = await inTransaction(db, async (tx): Promise<[AcceptedDataset?, (string | null)?]> => {
    const held = await holdUnused(tx, dataset);
    if (held === undefined) return [];
    if (!keepsProfile) await forgetTyped(tx, "id", id);
    const changed = await setReading(tx, id, { said, checked, keepsProfile });
    if (!keepsProfile) await queue.renew("dataset-profile", { id, data: { datasetId: id } }, tx);
    return [{ dataset: changed, isNew: false }, keepsProfile ? null : held.typed_id];
  });
  // No quota counts it any more, and until the next sweep there may be thousands. One that can't be removed is the sweep's.
  if (lostId != null) await storage.remove("typed", lostId).catch(() => {});
  return accepted;
}

/** @returns undefined where another correction made a version at the same time */
async function keepVersion(
  parts: ReceivingParts,
  dataset: Dataset,
  { said, checked, csvPath }: Reread,
): Promise<AcceptedDataset | undefined> {
  const { id, owner, name, sha256, size_bytes: sizeBytes, created_at: createdAt } = dataset;
  const versions = await listVersions(parts.db, dataset);
  const alike = [dataset, ...versions].find((version) => isAlike(version, checked));
  if (alike !== undefined) return unchanged(await existingDataset(parts.db, owner, alike.id));
  const copyPath = parts.storage.temporaryPath(randomUUID());
  try {
    await copyFile(csvPath, copyPath, constants.COPYFILE_FICLONE);
    const version = await keepDataset(
      parts,
      copyPath,
      {
        ...checked,
        id: uuidv7(),
        owner,
        name,
        sizeBytes,
        sha256,
        said,
        version: 1 + Math.max(dataset.version, versions[0]?.version ?? 0),
        versionOf: id,
        // Its file is as old: what was sent goes when it should, however often it was corrected.
        createdAt,
      },
      async (tx) => {
        if ((await findDatasetForTraining(tx, owner, id)) === undefined) await existingDataset(tx, owner, id);
      },
    );
    return version && { dataset: version, isNew: true };
  } finally {
    await parts.storage.discard(copyPath);
  }
}
