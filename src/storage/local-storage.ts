import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readdir, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../errors.ts";
import { flush } from "../flush.ts";
import { makeFolder } from "../make-folder.ts";
import { type FileKind, type FileStorage, fileKinds } from "./file-storage.ts";
import { fileMissing } from "./storage-fault.ts";

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

/** What `read` gives; undefined when there is no such file. */
async function unlessMissing<Value>(read: Promise<Value>): Promise<Value | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The folder of temporary files, which every storage has: checks read by path, and what is sent elsewhere is whole first. */
export async function openTemporaryFolder(
  root: string,
): Promise<Pick<FileStorage, "localFolder" | "temporaryPath" | "discard" | "listTemporary">> {
  const folder = join(root, "tmp");
  await makeFolder(folder);
  return {
    localFolder: root,
    temporaryPath: (name) => join(folder, name),
    discard: (temporaryPath) => rm(temporaryPath, { force: true }),
    listTemporary: () => listFolder(folder),
  };
}

/** Files under a local folder: `<root>/<kind>/<id>`, temporary ones under `<root>/tmp`. */
export async function openLocalStorage(root: string): Promise<FileStorage> {
  const temporary = await openTemporaryFolder(root);
  for (const kind of fileKinds) await makeFolder(join(root, kind));
  const path = (kind: FileKind, id: string) => join(root, kind, id);
  const markPath = join(root, "deployment");

  async function sizeOf(kind: FileKind, id: string): Promise<number> {
    const found = await unlessMissing(stat(path(kind, id)));
    if (found === undefined) throw fileMissing();
    return found.size;
  }

  return {
    ...temporary,
    place: { name: root, setBy: "DATA_DIR" },
    async keep(temporaryPath, kind, { id }) {
      // Flushed, then renamed, then the folder flushed: in any other order a crash can leave half a file.
      await flush(temporaryPath);
      await rename(temporaryPath, path(kind, id));
      await flush(join(root, kind));
    },
    async localFile(kind, { id }) {
      await sizeOf(kind, id);
      return { path: path(kind, id), [Symbol.asyncDispose]: async () => {} };
    },
    sizeOf,
    async open(kind, id, range) {
      const stream = createReadStream(path(kind, id), range);
      if ((await unlessMissing(once(stream, "open"))) === undefined) throw fileMissing();
      return stream;
    },
    downloadUrl: async () => undefined,
    remove: async (kind, id) => (await unlessMissing(rm(path(kind, id)).then(() => true))) ?? false,
    exists: async (kind, id) => (await unlessMissing(stat(path(kind, id)))) !== undefined,
    list: (kind) => listFolder(join(root, kind)),
    removeUnfinished: async () => 0,
    readMark: () => unlessMissing(readFile(markPath, "utf8")),
    writeMark: (mark) => writeFile(markPath, mark),
    async space() {
      const info = await statfs(root);
      return { availableBytes: info.bavail * info.bsize, sizeBytes: info.blocks * info.bsize };
    },
    async check() {
      const probe = temporary.temporaryPath(`.probe-${process.pid}`);
      try {
        // An empty file fits on a full disk.
        await writeFile(probe, "probe");
      } finally {
        await rm(probe, { force: true });
      }
    },
    stop: async () => {},
  };
}
