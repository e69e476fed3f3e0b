import { createHash, randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { claimFiles, ForeignFilesError } from "../../src/storage/claim-files.ts";
import { type FileKind, type FileStorage, fileKinds, type KeptFile } from "../../src/storage/file-storage.ts";
import type { Store } from "../../src/store/database.ts";

/** A storage of its own and, where it is elsewhere, what a test needs to see behind it. */
export interface StorageUnderTest {
  readonly storage: FileStorage;
  /** Changes the bytes of a kept file behind the storage's back. */
  damage(kind: FileKind, id: string, content: Buffer): Promise<void>;
  /** Another storage on the same files. */
  again(): Promise<FileStorage>;
}

export const bytesOf = (sizeBytes: number, seed = 1): Buffer => {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let place = 0, state = seed; place < sizeBytes; place += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[place] = state >>> 16;
  }
  return bytes;
};

export const describeFile = (content: Buffer, id: string = randomUUID()): KeptFile => ({
  id,
  sizeBytes: content.length,
  sha256: createHash("sha256").update(content).digest("hex"),
});

/** Keeps that content as the service does: temporary file first. */
export async function keepContent(
  storage: FileStorage,
  kind: FileKind,
  content: Buffer,
  file = describeFile(content),
): Promise<KeptFile> {
  const path = storage.temporaryPath(randomUUID());
  await writeFile(path, content);
  try {
    await storage.keep(path, kind, file);
  } finally {
    await storage.discard(path);
  }
  return file;
}

const missing = { code: "FILE_MISSING_IN_STORAGE" };
const mebibyte = 1024 * 1024;

/** What every storage must do, whatever it is made of. */
export function describeStorage(
  name: string,
  open: () => Promise<StorageUnderTest>,
  openDatabase: () => Promise<Store>,
): void {
  describe(name, () => {
    // 8 MiB is one part: a byte less, as much, and a byte more, then several.
    test.each([0, 1, 8 * mebibyte - 1, 8 * mebibyte, 8 * mebibyte + 1, 20 * mebibyte])(
      "gives back %i bytes as they were, whole and by path",
      async (sizeBytes) => {
        const { storage } = await open();
        const content = bytesOf(sizeBytes);
        const file = await keepContent(storage, "dataset", content);
        expect(await storage.sizeOf("dataset", file.id)).toBe(sizeBytes);
        expect((await buffer(await storage.open("dataset", file.id))).equals(content)).toBe(true);
        await using local = await storage.localFile("dataset", file);
        expect((await readFile(local.path)).equals(content)).toBe(true);
        expect(local.path.startsWith(storage.localFolder)).toBe(true);
      },
    );

    test("gives ranges, both ends inclusive", async () => {
      const { storage } = await open();
      const content = bytesOf(100_000);
      const { id } = await keepContent(storage, "artifact", content);
      for (const range of [
        { start: 0, end: 0 },
        { start: 99_999, end: 99_999 },
        { start: 17, end: 70_000 },
        { start: 0, end: 99_999 },
      ])
        expect(await buffer(await storage.open("artifact", id, range))).toEqual(
          content.subarray(range.start, range.end + 1),
        );
    });

    test("a reader that goes away half-way holds up nobody", async () => {
      const { storage } = await open();
      const content = bytesOf(2 * mebibyte);
      const file = await keepContent(storage, "dataset", content);
      for (let round = 0; round < 60; round += 1) (await storage.open("dataset", file.id)).destroy();
      expect((await buffer(await storage.open("dataset", file.id))).length).toBe(content.length);
    });

    test("what is not there is missing, in every call alike, and kinds are apart", async () => {
      const { storage } = await open();
      const file = await keepContent(storage, "dataset", bytesOf(10));
      const has = await Promise.all(fileKinds.map((kind) => storage.exists(kind, file.id)));
      expect(has).toEqual(fileKinds.map((kind) => kind === "dataset"));
      await expect(storage.sizeOf("artifact", file.id)).rejects.toMatchObject(missing);
      await expect(storage.open("artifact", file.id)).rejects.toMatchObject(missing);
      await expect(storage.localFile("artifact", file)).rejects.toMatchObject(missing);
      expect(await storage.remove("artifact", file.id)).toBe(false);
    });

    test("removes once, and lists what is left with the time it came", async () => {
      const { storage } = await open();
      const startMs = systemClock.nowMs();
      const files: KeptFile[] = [];
      for (let index = 0; index < 5; index += 1)
        files.push(await keepContent(storage, "dataset", bytesOf(10, index + 1)));
      expect(await storage.remove("dataset", files[0]!.id)).toBe(true);
      expect(await storage.remove("dataset", files[0]!.id)).toBe(false);
      const listed = await storage.list("dataset");
      expect(listed.map(({ id }) => id).sort()).toEqual(
        files
          .slice(1)
          .map(({ id }) => id)
          .sort(),
      );
      // A storage may keep whole seconds only.
      for (const { modifiedMs } of listed) expect(Math.abs(modifiedMs - startMs)).toBeLessThan(60_000);
      expect(await storage.list("artifact")).toEqual([]);
    });

    test("keeps names that are no ids apart from its own", async () => {
      const { storage, again } = await open();
      await storage.writeMark("42");
      expect(await storage.readMark()).toBe("42");
      expect(await storage.list("dataset")).toEqual([]);
      const other = await again();
      expect(await other.readMark()).toBe("42");
      await other.stop();
    });

    test("leaves nothing in the temporary folder, nor half of what can't be read", async () => {
      const { storage } = await open();
      const content = bytesOf(9 * mebibyte);
      const file = await keepContent(storage, "dataset", content);
      {
        await using local = await storage.localFile("dataset", file);
        expect(await readFile(local.path)).toHaveLength(content.length);
      }
      const gone = describeFile(bytesOf(10));
      await expect(storage.keep(storage.temporaryPath("never-written"), "dataset", gone)).rejects.toThrow();
      expect(await storage.exists("dataset", gone.id)).toBe(false);
      expect(await storage.listTemporary()).toEqual([]);
      await rm(storage.temporaryPath("never-written"), { force: true });
    });

    test("answers while it is well", async () => {
      const { storage } = await open();
      await expect(storage.check()).resolves.toBeUndefined();
      expect(await storage.removeUnfinished(systemClock.nowMs())).toBe(0);
    });

    test("belongs to one database", async () => {
      const { storage } = await open();
      const mine = await openDatabase();
      const theirs = await openDatabase();
      try {
        await claimFiles(mine.db, storage);
        await claimFiles(mine.db, storage);
        // While it is empty anybody may have it.
        await claimFiles(theirs.db, storage);
        await keepContent(storage, "dataset", bytesOf(10));
        await claimFiles(theirs.db, storage);
        await expect(claimFiles(mine.db, storage)).rejects.toThrow(ForeignFilesError);
        await expect(claimFiles(mine.db, storage)).rejects.toThrow(storage.place.name);
      } finally {
        await mine.stop();
        await theirs.stop();
      }
    });
  });
}
