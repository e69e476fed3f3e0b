import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DomainError } from "../../../src/errors.ts";
import { fetchFile } from "../../../src/storage/fetch-file.ts";
import { StorageFault, storageUnavailable } from "../../../src/storage/storage-fault.ts";
import { bytesOf, describeFile } from "../../support/storage-contract.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fetch-file-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const content = bytesOf(200_000);
const file = describeFile(content);
const never = new AbortController().signal;
const path = (): string => join(folder, "copy");

/** A body that breaks off after so many bytes. */
const broken = (bytes: number, error: Error = storageUnavailable(new StorageFault("gone", "ECONNRESET"))): Readable =>
  Readable.from(
    (async function* () {
      yield content.subarray(0, bytes);
      throw error;
    })(),
  );

test("a body that breaks off is asked for again", async () => {
  const bodies = [broken(0), broken(150_000), Readable.from([content])];
  await fetchFile(async () => bodies.shift()!, path(), file, never);
  expect((await readFile(path())).equals(content)).toBe(true);
  expect(bodies).toEqual([]);
  await rm(path());
});

test("three times, and then it is the storage's fault; nothing stays behind", async () => {
  let asked = 0;
  const open = async (): Promise<Readable> => {
    asked += 1;
    return broken(10);
  };
  await expect(fetchFile(open, path(), file, never)).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
  expect([asked, await readdir(folder)]).toEqual([3, []]);
});

test.each([
  ["another content", bytesOf(200_000, 9)],
  ["less", content.subarray(1)],
  ["more", Buffer.concat([content, Buffer.from("x")])],
  ["nothing", Buffer.alloc(0)],
])("%s is not the file, and is not asked for again", async (_what, other) => {
  let asked = 0;
  const open = async (): Promise<Readable> => {
    asked += 1;
    return Readable.from([other]);
  };
  await expect(fetchFile(open, path(), file, never)).rejects.toMatchObject({ code: "FILE_MISSING_IN_STORAGE" });
  expect([asked, await readdir(folder)]).toEqual([1, []]);
});

test("a full disk stays a full disk", async () => {
  const full = Object.assign(new Error("no room"), { code: "ENOSPC" });
  await expect(fetchFile(async () => broken(10, full), path(), file, never)).rejects.toBe(full);
});

test("ends with its signal, also between two tries", async () => {
  const stalled = new Readable({ read() {} });
  const signal = AbortSignal.timeout(50);
  await expect(fetchFile(async () => stalled, path(), file, signal)).rejects.not.toBeInstanceOf(DomainError);
  expect(stalled.destroyed).toBe(true);
  await expect(fetchFile(async () => broken(10), path(), file, AbortSignal.timeout(1))).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});

// A body that breaks off at once was faster than the opening of its file, which then came after the removal.
test("its file is there before anything is read: nothing makes it after it was removed", async () => {
  const seen: boolean[] = [];
  const open = async (): Promise<Readable> =>
    Readable.from(
      (async function* () {
        seen.push(existsSync(path()));
        yield content;
      })(),
    );
  await fetchFile(open, path(), file, never);
  expect(seen).toEqual([true]);
  await rm(path());
  const away = async (): Promise<Readable> => {
    throw storageUnavailable(new StorageFault("gone", "ECONNREFUSED"));
  };
  await expect(fetchFile(away, path(), file, never)).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
  expect(await readdir(folder)).toEqual([]);
});
