import { randomInt } from "node:crypto";
import type { Kysely } from "kysely";
import type { Tables } from "../store/schema.ts";
import { type FileStorage, fileKinds } from "./file-storage.ts";

const deploymentKey = "deployment_id";
const largestId = 2 ** 48 - 1;

/** Files and database do not belong together. */
export class ForeignFilesError extends Error {
  constructor({ name, setBy }: FileStorage["place"], why: string) {
    super(
      `${why} Files without a row would be removed as left over, so nothing is started. Set ${setBy} and DATABASE_URL ` +
        `to what belongs together. To begin anew, move ${name} away.`,
    );
    this.name = "ForeignFilesError";
  }
}

async function deploymentId(db: Kysely<Tables>): Promise<string> {
  await db
    .insertInto("deployment_state")
    .values({ key: deploymentKey, value_ms: randomInt(1, largestId) })
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
  const { value_ms } = await db
    .selectFrom("deployment_state")
    .select("value_ms")
    .where("key", "=", deploymentKey)
    .executeTakeFirstOrThrow();
  return String(value_ms);
}

async function hasRows(db: Kysely<Tables>): Promise<boolean> {
  const dataset = await db.selectFrom("datasets").select("id").limit(1).executeTakeFirst();
  if (dataset !== undefined) return true;
  return (await db.selectFrom("artifacts").select("id").limit(1).executeTakeFirst()) !== undefined;
}

/**
 * Ties the files to the database by a number that both keep, before any sweep: a start with another or an empty
 * database would take every file for left over.
 * @throws ForeignFilesError when the files are another database's
 */
export async function claimFiles(db: Kysely<Tables>, storage: FileStorage): Promise<void> {
  const { place } = storage;
  const mine = await deploymentId(db);
  const theirs = await storage.readMark();
  if (theirs === mine) return;
  let isEmpty = true;
  for (const kind of fileKinds) isEmpty &&= (await storage.list(kind)).length === 0;
  if (!isEmpty && theirs !== undefined)
    throw new ForeignFilesError(place, `The files in ${place.name} belong to another database.`);
  if (!isEmpty && !(await hasRows(db)))
    throw new ForeignFilesError(place, `${place.name} holds files, and the database knows of none.`);
  await storage.writeMark(mine);
}
