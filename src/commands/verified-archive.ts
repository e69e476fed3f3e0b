import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../log.ts";
import { type Config, ConfigError, readConfig } from "../settings/config.ts";
import { claimFiles } from "../storage/claim-files.ts";
import { openStorage } from "../storage/open-storage.ts";
import { verifyFiles } from "../storage/verify-files.ts";
import { ArchiveError, unpackData } from "../store/data-archive.ts";
import { openStore, type Store } from "../store/database.ts";
import { EmbeddedDatabaseFault } from "../store/embedded-folder.ts";
import { NewerSchemaError } from "../store/newer-schema.ts";

/** A backup that was unpacked, and found to be whole. */
interface Unpacked {
  readonly folder: string;
  readonly holdsFiles: boolean;
}

/** Settings of a deployment on the embedded database. @throws ConfigError */
export function readEmbeddedSettings(): Config {
  const config = readConfig(process.env);
  if (config.databaseUrl !== "")
    throw new ConfigError([
      "DATABASE_URL is set: rows are in PostgreSQL, and are backed up with its own tools (docs/operations.md)",
    ]);
  return config;
}

async function openUnpacked(dataDir: string): Promise<Store> {
  try {
    return await openStore({ databaseUrl: "", dataDir });
  } catch (error) {
    if (error instanceof NewerSchemaError) throw error;
    const why = error instanceof EmbeddedDatabaseFault ? `: ${error.message}` : ".";
    throw new ArchiveError(`The database in the archive does not open${why}`, { cause: error });
  }
}

/**
 * Unpacks the archive behind `from` beside the data, opens its database, and reads the file of every row, held against the
 * hash in it; then calls `use`. What it does not take over is removed.
 * @param isLocked whether the caller holds the lock of the folder
 * @throws ArchiveError when it is not whole, ForeignFilesError when its files are not its database's
 */
export async function withVerifiedArchive(
  {
    config,
    from,
    acceptsGaps,
    log,
    isLocked = false,
  }: { config: Config; from: number; acceptsGaps: boolean; log: Logger; isLocked?: boolean },
  use: (unpacked: Unpacked) => Promise<void>,
): Promise<void> {
  await using resources = new AsyncDisposableStack();
  // On the same volume: a rename is all that a restore does with it.
  const name = join(config.dataDir, "archive.unpacked");
  await mkdir(config.dataDir, { recursive: true });
  // Without the lock another may unpack beside this one; with it, what stands there was broken off.
  const folder = isLocked ? name : await mkdtemp(`${name}-`);
  if (isLocked) await rm(folder, { recursive: true, force: true });
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { holdsFiles } = await unpackData(from, folder);
  {
    await using opened = new AsyncDisposableStack();
    const store = await openUnpacked(folder);
    opened.defer(() => store.stop());
    const storage = await openStorage({ ...config, dataDir: folder });
    opened.defer(() => storage.stop());
    await claimFiles(store.db, storage);
    const report = await verifyFiles({ db: store.db, storage, log });
    const gaps = report.missing + report.damaged + report.failed;
    log[gaps === 0 ? "info" : "warn"]({ place: storage.place.name, ...report }, "the archive was read back");
    if (gaps > 0 && !acceptsGaps)
      throw new ArchiveError(
        `Not every row of the archive has its file (${gaps} have not): the lines before name them. --with-gaps takes it as it is.`,
      );
  }
  await use({ folder, holdsFiles });
}
