import type { Kysely } from "kysely";
import { DomainError } from "../../errors.ts";
import type { Tables } from "../../store/schema.ts";
import { type Dataset, findDataset } from "./dataset-repository.ts";

/** One of the owner's. @throws DomainError DATASET_NOT_FOUND */
export async function existingDataset(db: Kysely<Tables>, owner: string, id: string): Promise<Dataset> {
  const dataset = await findDataset(db, owner, id);
  if (dataset === undefined)
    throw new DomainError("DATASET_NOT_FOUND", "There is no such dataset. GET /datasets lists yours.");
  return dataset;
}
