import { type Kysely, sql } from "kysely";
import type { Tables } from "../../store/schema.ts";
import { storageBytesOfOwner } from "./dataset-repository.ts";

/**
 * Whether the owner may keep so many bytes more. Until the transaction ends nobody else asks it of the same owner: two files
 * that fit alone must not pass together.
 * @param maxBytes of all; 0: there is no bound
 */
export async function hasRoom(
  tx: Kysely<Tables>,
  owner: string,
  sizeBytes: number,
  maxBytes: number,
): Promise<boolean> {
  if (maxBytes === 0) return true;
  await sql`select pg_advisory_xact_lock(hashtext('quota'), hashtext(${owner}))`.execute(tx);
  return (await storageBytesOfOwner(tx, owner)) + sizeBytes <= maxBytes;
}
