import { createReadStream, type ReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../errors.ts";

/** What is kept as files: each kind has its folder. */
export type FileKind = "dataset" | "artifact";

/** The bytes behind the rows: whole files or none, never half of one. */
export interface FileStorage {
  /** The folder of everything, for DuckDB's list of allowed folders. */
  readonly root: string;
  /** A path in the temporary folder that nobody else uses; the writer creates the file. */
  temporaryPath(name: string): string;
  /**
   * Makes a temporary file permanent: flushed, then renamed, then the folder flushed, so that after a crash the
   * file is whole or not there.
   */
  keep(temporaryPath: string, kind: FileKind, id: string): Promise<void>;
  /** Where the file of that id stands. */
  path(kind: FileKind, id: string): string;
  /** A stream of the file or of a byte range of it (both ends inclusive). */
  read(kind: FileKind, id: string, range?: { start: number; end: number }): ReadStream;
  /** Removes it. @returns false when it was not there */
  remove(kind: FileKind, id: string): Promise<boolean>;
  /** Removes a temporary file; nothing happens when it is gone already. */
  discard(temporaryPath: string): Promise<void>;
  exists(kind: FileKind, id: string): Promise<boolean>;
  /** Ids of the kind with the time of their last change. */
  list(kind: FileKind): Promise<{ id: string; modifiedMs: number }[]>;
  /** Names of the temporary files with the time of their last change. */
  listTemporary(): Promise<{ id: string; modifiedMs: number }[]>;
  /** Of the file system that holds the files. */
  space(): Promise<{ availableBytes: number; sizeBytes: number }>;
  /** Throws when nothing can be written. */
  check(): Promise<void>;
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listFolder(folder: string): Promise<{ id: string; modifiedMs: number }[]> {
  const found = await Promise.all(
    (await readdir(folder)).map(async (id) => {
      try {
        return { id, modifiedMs: (await stat(join(folder, id))).mtimeMs };
      } catch (error) {
        // Removed between the listing and the look: then it is not there.
        if (isSystemError(error, "ENOENT")) return undefined;
        throw error;
      }
    }),
  );
  return found.filter((file) => file !== undefined);
}

/** Files under a local folder: `<root>/<kind>/<id>`, temporary ones under `<root>/tmp`. */
export async function openLocalStorage(root: string): Promise<FileStorage> {
  const temporaryFolder = join(root, "tmp");
  for (const folder of [temporaryFolder, join(root, "dataset"), join(root, "artifact")]) {
    await mkdir(folder, { recursive: true });
  }
  const path = (kind: FileKind, id: string) => join(root, kind, id);

  return {
    root,
    path,
    temporaryPath: (name) => join(temporaryFolder, name),
    async keep(temporaryPath, kind, id) {
      await flush(temporaryPath);
      await rename(temporaryPath, path(kind, id));
      await flush(join(root, kind));
    },
    read: (kind, id, range) => createReadStream(path(kind, id), range),
    async remove(kind, id) {
      try {
        await rm(path(kind, id));
        return true;
      } catch (error) {
        if (isSystemError(error, "ENOENT")) return false;
        throw error;
      }
    },
    discard: (temporaryPath) => rm(temporaryPath, { force: true }),
    async exists(kind, id) {
      try {
        await stat(path(kind, id));
        return true;
      } catch (error) {
        if (isSystemError(error, "ENOENT")) return false;
        throw error;
      }
    },
    list: (kind) => listFolder(join(root, kind)),
    listTemporary: () => listFolder(temporaryFolder),
    async space() {
      const info = await statfs(root);
      return { availableBytes: info.bavail * info.bsize, sizeBytes: info.blocks * info.bsize };
    },
    async check() {
      const probe = join(temporaryFolder, `.probe-${process.pid}`);
      try {
        // An empty file fits on a full disk.
        await writeFile(probe, "probe");
      } finally {
        await rm(probe, { force: true });
      }
    },
  };
}
