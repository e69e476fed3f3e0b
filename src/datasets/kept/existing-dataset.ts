import type { Kysely } from "kysely";
import { DomainError } from "../../errors.ts";
import type { Tables } from "../../store/schema.ts";
import { type Dataset, findDataset, findProfiledDataset, type ProfiledDataset } from "./dataset-repository.ts";

/** One of the owner's. @throws DomainError DATASET_NOT_FOUND */
export function existingDataset(db: Kysely<Tables>, owner: string, id: string): Promise<Dataset> {
  return existing(findDataset(db, owner, id));
}

/** The same with its profile. @throws DomainError DATASET_NOT_FOUND */
export function existingProfiledDataset(db: Kysely<Tables>, owner: string, id: string): Promise<ProfiledDataset> {
  return existing(findProfiledDataset(db, owner, id));
}

async function existing<Found>(finding: Promise<Found | undefined>): Promise<Found> {
  const dataset = await finding;
  if (dataset === undefined)
    throw new DomainError("DATASET_NOT_FOUND", "There is no such dataset. GET /datasets lists yours.");
  return dataset;
}
