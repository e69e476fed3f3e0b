import { randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { isSystemError } from "../errors.ts";
import type { Tables } from "../store/schema.ts";
import type { FileStorage } from "./file-storage.ts";

const deploymentKey = "deployment_id";
const largestId = 2 ** 48 - 1;

/** Files and database do not belong together. */
export class ForeignFilesError extends Error {
  constructor(root: string, why: string) {
    super(
      `${why} Files without a row would be removed as left over, so nothing is started. Set DATA_DIR and DATABASE_URL ` +
        `to the pair that belongs together. To begin anew, move ${root} away.`,
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
  const path = join(storage.root, "deployment");
  const mine = await deploymentId(db);
  const isEmpty = (await storage.list("dataset")).length === 0 && (await storage.list("artifact")).length === 0;
  if (isEmpty) {
    await writeFile(path, mine);
    return;
  }
  const theirs = await readFile(path, "utf8").catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  });
  if (theirs === mine) return;
  if (theirs !== undefined)
    throw new ForeignFilesError(storage.root, `The files in ${storage.root} belong to another database.`);
  if (!(await hasRows(db)))
    throw new ForeignFilesError(storage.root, `${storage.root} holds files, and the database knows of none.`);
  await writeFile(path, mine);
}
