import { isDeepStrictEqual } from "node:util";
import type { Kysely } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Clock } from "../../clock.ts";
import { DomainError } from "../../errors.ts";
import type { ReceivedFile } from "../../http/upload-stream.ts";
import { describeSpan, withSpan } from "../../monitoring/spans.ts";
import type { JobQueue } from "../../queue/job-queue.ts";
import type { Config } from "../../settings/config.ts";
import type { FileStorage } from "../../storage/file-storage.ts";
import type { SaidOfTable, Tables } from "../../store/schema.ts";
import { saidMissing } from "../../tables/missing.ts";
import type { CheckedCsv } from "../checks/check-csv.ts";
import { checkUpload } from "../checks/check-upload.ts";
import { isReadingSaid, readUploadFields, type UploadFields } from "../checks/upload-fields.ts";
import type { CsvEngines } from "../engines/csv-engines.ts";
import type { Asker } from "../engines/engine-pool.ts";
import { type Dataset, type DatasetVersion, dialectOf, findDataset, listVersions } from "../kept/dataset-repository.ts";
import { keepDataset } from "./keep-dataset.ts";

/** What receiving a dataset needs. */
export interface ReceivingParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly queue: Pick<JobQueue, "send" | "renew">;
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
  /** What its sender said of it. */
  readonly said: Omit<UploadFields, "name">;
}

/** What an upload has become. */
export interface AcceptedDataset {
  readonly dataset: Dataset;
  /** False where its sender had it already. */
  readonly isNew: boolean;
}

/** How a table is read, and learnt from, by what its sender said of it. */
function readBy({ dialect, columns, leftOut }: Pick<CheckedCsv, "dialect" | "columns" | "leftOut">): unknown[] {
  const { source, delimiter, decimal, isHeaderless, dateForms } = dialect;
  const { encoding, sheet } = source;
  const types = columns.map(({ type }) => type);
  const said = [encoding, sheet, delimiter, decimal, isHeaderless, saidMissing(dialect), types, dateForms];
  return [said, leftOut.toSorted()];
}

/** By members and not by text: the database gives those of a form back in another order. */
const wasReadAlike = (dataset: DatasetVersion, checked: CheckedCsv): boolean =>
  isDeepStrictEqual(
    readBy({ dialect: dialectOf(dataset), columns: dataset.columns, leftOut: dataset.said?.leftOut ?? [] }),
    readBy(checked),
  );

/** The same of one from before what is said was kept: nobody said its types, and there were no dates then. */
function wasReadAlikeBefore(dataset: DatasetVersion, checked: CheckedCsv): boolean {
  const { dateForms: _, ...dialect } = checked.dialect;
  return dataset.said === null && wasReadAlike(dataset, { ...checked, columns: [...dataset.columns], dialect });
}

/** The version that a table sent again is; the newest of several. @throws DomainError DATASET_EXISTS where it is none */
function sameOrConflict(
  versions: readonly DatasetVersion[],
  checked: CheckedCsv,
  said: Omit<UploadFields, "name">,
): DatasetVersion {
  const ofTarget = versions.filter(({ target }) => target === checked.target);
  const { types, dayFirst } = said;
  const areTypesFound = types === undefined && dayFirst === undefined;
  // What was found out by itself may have been found otherwise by an earlier version.
  const dataset =
    ofTarget.find((version) => wasReadAlike(version, checked)) ??
    ofTarget.find((version) => areTypesFound && wasReadAlikeBefore(version, checked)) ??
    (isReadingSaid(said) ? undefined : ofTarget[0]);
  if (dataset !== undefined) return dataset;
  const other = ofTarget.length === 0 ? "with another target" : "read in another way";
  throw new DomainError(
    "DATASET_EXISTS",
    `You have this content under this name, ${other}. Choose another name, or correct it by PATCH /datasets/${versions[0]!.id}.`,
  );
}

/**
 * Takes an upload: checks it, keeps the file, then writes row and profile job in one transaction.
 * The same content, name and target again is the same dataset.
 * @param asker whose signal is aborted when the sender has gone: then the check ends in the middle
 * @throws DomainError for what is wrong with it, the signal's reason once it is aborted; then nothing stays behind
 */
export async function acceptDataset(
  parts: ReceivingParts,
  asker: Asker,
  received: ReceivedFile,
): Promise<AcceptedDataset> {
  const { owner, progress } = asker;
  const { name, ...wished } = readUploadFields(received.fields, received.fileName);
  const checked = await check(parts, asker, received, wished);
  progress?.begin("keeping");
  return withSpan("dataset store", {}, async (span) => {
    const accepted = await storeDataset(parts, { owner, name, received, checked, said: wished });
    describeSpan(span, { datasetId: accepted.dataset.id, outcome: accepted.isNew ? "accepted" : "duplicate" });
    return accepted;
  });
}

/**
 * Checks a file as an upload is checked, and keeps nothing.
 * @param asker whose signal is aborted when the sender has gone
 * @throws DomainError for what is wrong with it
 */
export async function inspectTable(parts: ReceivingParts, asker: Asker, received: ReceivedFile): Promise<CheckedCsv> {
  const { name: _, ...wished } = readUploadFields(received.fields, received.fileName);
  return check(parts, asker, received, wished);
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

async function storeDataset(
  parts: ReceivingParts,
  { owner, name, received, checked, said }: StorableDataset,
): Promise<{ dataset: Dataset; isNew: boolean }> {
  const { temporaryPath, sizeBytes, sha256 } = received;
  const { db } = parts;
  /** Undefined where there is none of that content and name. */
  const knownOne = async (): Promise<Dataset | undefined> => {
    const versions = await listVersions(db, { owner, name, sha256 });
    if (versions.length === 0) return undefined;
    return findDataset(db, owner, sameOrConflict(versions, checked, said).id);
  };
  const known = await knownOne();
  if (known !== undefined) return { dataset: known, isNew: false };
  const dataset = await keepDataset(parts, temporaryPath, {
    id: uuidv7(),
    owner,
    name,
    sizeBytes,
    sha256,
    said: saidByForm(said),
    version: 1,
    versionOf: null,
    createdAt: new Date(parts.clock.nowMs()),
    ...checked,
  });
  if (dataset !== undefined) return { dataset, isNew: true };
  // Another upload of the same was faster by a moment.
  const winner = await knownOne();
  if (winner === undefined)
    throw new DomainError("DATASET_EXISTS", "The same dataset was sent and removed at this moment. Send it again.");
  return { dataset: winner, isNew: false };
}

/** Without what was not said. */
function saidByForm(said: Omit<UploadFields, "name">): SaidOfTable {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
