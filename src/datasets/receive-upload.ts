import type { Kysely } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Clock } from "../clock.ts";
import { DomainError } from "../errors.ts";
import type { ReceivedFile } from "../http/upload-stream.ts";
import { describeSpan, withSpan } from "../monitoring/spans.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import type { Config } from "../settings/config.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { inTransaction, mayStand } from "../store/commit.ts";
import type { Tables } from "../store/schema.ts";
import { saidMissing } from "../tables/missing.ts";
import type { CheckedCsv } from "./check-csv.ts";
import { checkUpload } from "./check-upload.ts";
import type { CsvEngines } from "./csv-engines.ts";
import { type Dataset, dialectOf, findSameDataset, insertDataset } from "./dataset-repository.ts";
import type { Asker } from "./engine-pool.ts";
import { hasRoom } from "./quota.ts";
import { isReadingSaid, readUploadFields, type UploadFields } from "./upload-fields.ts";

/** What receiving a dataset needs. */
export interface ReceivingParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly queue: Pick<JobQueue, "send">;
  readonly csvEngines: CsvEngines;
  readonly config: Config;
  readonly clock: Clock;
}

/** An upload that has passed all checks. */
interface StorableDataset {
  readonly owner: string;
  readonly name: string;
  readonly received: ReceivedFile;
  readonly checked: CheckedCsv;
  /** Whether its sender said how it is to be read. */
  readonly isSaid: boolean;
}

/** What an upload has become. */
export interface AcceptedDataset {
  readonly dataset: Dataset;
  /** False where its sender had it already. */
  readonly isNew: boolean;
  readonly examples: CheckedCsv["examples"];
}

/** How a table is read by what its sender said of it. */
function readBy({ dialect, columns }: Pick<CheckedCsv, "dialect" | "columns">): string {
  const { source, delimiter, decimal, isHeaderless, dateForms } = dialect;
  const types = columns.map(({ type }) => type);
  const how = [source.encoding, source.sheet, delimiter, decimal, isHeaderless, saidMissing(dialect), types, dateForms];
  return JSON.stringify(how);
}

const wasReadBy = (dataset: Dataset): string => readBy({ dialect: dialectOf(dataset), columns: dataset.columns });

function sameOrConflict(existing: Dataset, checked: CheckedCsv, isSaid: boolean): { dataset: Dataset; isNew: false } {
  const { target } = checked;
  const other = existing.target !== target ? "with another target" : "read in another way";
  // What was found out by itself may have been found otherwise by an earlier version.
  if (existing.target !== target || (isSaid && wasReadBy(existing) !== readBy(checked)))
    throw new DomainError("DATASET_EXISTS", `You have this content under this name, ${other}. Choose another name.`);
  return { dataset: existing, isNew: false };
}

/**
 * Takes an upload: checks it, keeps the file, then writes row and profile job in one transaction.
 * The same content, name and target again is the same dataset.
 * @param signal aborted when its sender has gone: then the check ends in the middle
 * @throws DomainError for what is wrong with it, the signal's reason once it is aborted; then nothing stays behind
 */
export async function acceptDataset(
  parts: ReceivingParts,
  owner: string,
  received: ReceivedFile,
  signal?: AbortSignal,
): Promise<AcceptedDataset> {
  const { name, ...wished } = readUploadFields(received.fields, received.fileName);
  const checked = await check(parts, { owner, signal }, received, wished);
  return withSpan("dataset store", {}, async (span) => {
    const accepted = await storeDataset(parts, { owner, name, received, checked, isSaid: isReadingSaid(wished) });
    describeSpan(span, { datasetId: accepted.dataset.id, outcome: accepted.isNew ? "accepted" : "duplicate" });
    // Of what was kept before, the examples may be of another reading.
    const isSame = accepted.isNew || wasReadBy(accepted.dataset) === readBy(checked);
    return { ...accepted, examples: isSame ? checked.examples : undefined };
  });
}

/**
 * Checks a file as an upload is checked, and keeps nothing.
 * @param signal aborted when its sender has gone
 * @throws DomainError for what is wrong with it
 */
export async function inspectTable(
  parts: ReceivingParts,
  owner: string,
  received: ReceivedFile,
  signal: AbortSignal,
): Promise<CheckedCsv> {
  const { name: _, ...wished } = readUploadFields(received.fields, received.fileName);
  return check(parts, { owner, signal }, received, wished);
}

async function check(
  { storage, csvEngines, config }: ReceivingParts,
  asker: Asker,
  received: ReceivedFile,
  wished: Omit<UploadFields, "name">,
): Promise<CheckedCsv> {
  const checked = await withSpan("dataset check", {}, () =>
    checkUpload({ storage, checks: csvEngines.checks, limits: config }, asker, received, wished),
  );
  asker.signal?.throwIfAborted();
  return checked;
}

/** File first, then row and profile job. */
async function storeDataset(
  { db, storage, queue, config, clock }: ReceivingParts,
  { owner, name, received, checked, isSaid }: StorableDataset,
): Promise<{ dataset: Dataset; isNew: boolean }> {
  const { temporaryPath, sizeBytes, sha256 } = received;
  const existing = await findSameDataset(db, owner, name, sha256);
  if (existing !== undefined) return sameOrConflict(existing, checked, isSaid);

  const id = uuidv7();
  await storage.keep(temporaryPath, "dataset", { id, sizeBytes, sha256 });
  try {
    const inserted = await inTransaction(db, async (tx) => {
      if (!(await hasRoom(tx, owner, sizeBytes, config.maxStorageBytesPerOwner)))
        throw new DomainError(
          "QUOTA_EXCEEDED",
          `You may keep ${config.maxStorageBytesPerOwner} bytes. Delete datasets or models first.`,
        );
      const dataset = await insertDataset(tx, {
        id,
        owner,
        name,
        sizeBytes,
        sha256,
        createdAt: new Date(clock.nowMs()),
        ...checked,
      });
      // The job has the dataset's id: whoever finds one finds the other.
      if (dataset !== undefined) await queue.send("dataset-profile", { datasetId: id }, tx, { id });
      return dataset;
    });
    if (inserted !== undefined) return { dataset: inserted, isNew: true };
  } catch (error) {
    // What may stand keeps its file: the sweep takes it if it has no row after all.
    if (!mayStand(error)) await storage.remove("dataset", id);
    throw error;
  }
  // Another upload of the same was faster by a moment.
  await storage.remove("dataset", id);
  const winner = await findSameDataset(db, owner, name, sha256);
  if (winner === undefined)
    throw new DomainError("DATASET_EXISTS", "The same dataset was sent and removed at this moment. Send it again.");
  return sameOrConflict(winner, checked, isSaid);
}
