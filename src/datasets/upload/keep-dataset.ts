import type { Kysely } from "kysely";
import { DomainError } from "../../errors.ts";
import type { JobQueue } from "../../queue/job-queue.ts";
import type { Config } from "../../settings/config.ts";
import type { FileStorage } from "../../storage/file-storage.ts";
import { inTransaction, mayStand } from "../../store/commit.ts";
import type { Tables } from "../../store/schema.ts";
import { type Dataset, insertDataset, type NewDataset } from "../kept/dataset-repository.ts";
import { hasRoom } from "../kept/quota.ts";

/** What keeping a dataset needs. */
interface KeepingParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly queue: Pick<JobQueue, "send">;
  readonly config: Pick<Config, "maxStorageBytesPerOwner">;
}

/**
 * Keeps a checked table: its file first, then row and profile job in one transaction.
 * @param temporaryPath of its file, which may be gone afterwards
 * @param requireState looks at what must hold until the row stands, and throws where it does not
 * @returns undefined where the owner has that version of the same content under that name; then nothing was kept
 * @throws DomainError QUOTA_EXCEEDED
 */
export async function keepDataset(
  { db, storage, queue, config }: KeepingParts,
  temporaryPath: string,
  dataset: NewDataset,
  requireState: (tx: Kysely<Tables>) => Promise<void> = async () => {},
): Promise<Dataset | undefined> {
  const { id, owner, sizeBytes, sha256 } = dataset;
  await storage.keep(temporaryPath, "dataset", { id, sizeBytes, sha256 });
  try {
    const inserted = await inTransaction(db, async (tx) => {
      await requireState(tx);
      if (!(await hasRoom(tx, owner, sizeBytes, config.maxStorageBytesPerOwner)))
        throw new DomainError(
          "QUOTA_EXCEEDED",
          `You may keep ${config.maxStorageBytesPerOwner} bytes. Delete datasets or models first.`,
        );
      const row = await insertDataset(tx, dataset);
      // The job has the dataset's id: whoever finds one finds the other.
      if (row !== undefined) await queue.send("dataset-profile", { datasetId: id }, tx, { id });
      return row;
    });
    if (inserted !== undefined) return inserted;
  } catch (error) {
    // What may stand keeps its file: the sweep takes it if it has no row after all.
    if (!mayStand(error)) await storage.remove("dataset", id);
    throw error;
  }
  await storage.remove("dataset", id);
  return undefined;
}
