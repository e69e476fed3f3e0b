import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../src/settings/config.ts";
import type { FileKind, FileStorage } from "../../src/storage/file-storage.ts";
import { openS3Storage } from "../../src/storage/s3-storage.ts";
import { openStore } from "../../src/store/database.ts";
import { bytesOf, describeFile, describeStorage, keepContent } from "../support/storage-contract.ts";
import { startVersitygw, type VersitygwProcess } from "./versitygw-process.ts";

let folder: string;
let gateway: VersitygwProcess;
const open: FileStorage[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "s3-storage-"));
  gateway = await startVersitygw(join(folder, "buckets"));
});
afterEach(async () => {
  for (const storage of open.splice(0)) await storage.stop();
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const newBucket = async (): Promise<string> => {
  const bucket = `b-${randomUUID()}`;
  await gateway.createBucket(bucket);
  return bucket;
};

async function openStorage(bucket: string, env: Record<string, string> = {}): Promise<FileStorage> {
  const config = readConfig({ ...gateway.env, S3__BUCKET: bucket, S3__MAX_ATTEMPTS: "2", ...env });
  const storage = await openS3Storage(config, join(folder, `local-${randomUUID()}`));
  open.push(storage);
  return storage;
}

async function underTest(env: Record<string, string>) {
  const bucket = await newBucket();
  const prefix = env.S3__PREFIX === undefined ? "" : `${env.S3__PREFIX}/`;
  return {
    storage: await openStorage(bucket, env),
    damage: async (kind: FileKind, id: string, content: Buffer) => {
      await gateway.client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${kind}/${id}`, Body: content }));
    },
    again: () => openStorage(bucket, env),
  };
}
const openDatabase = () => openStore({ databaseUrl: "", dataDir: join(folder, `database-${randomUUID()}`) });

describeStorage("a bucket", () => underTest({}), openDatabase);
describeStorage(
  "a bucket below a prefix, with CRC32",
  () => underTest({ S3__PREFIX: "team/mlops", S3__CHECKSUM: "CRC32" }),
  openDatabase,
);

test("a file that was changed behind its back is not taken for the one that was kept", async () => {
  const { storage, damage } = await underTest({});
  const content = bytesOf(100_000);
  const file = await keepContent(storage, "dataset", content);
  for (const changed of [bytesOf(100_000, 7), content.subarray(0, 99_999), Buffer.concat([content, content])]) {
    await damage("dataset", file.id, changed);
    await expect(storage.localFile("dataset", file)).rejects.toMatchObject({ code: "FILE_MISSING_IN_STORAGE" });
  }
  expect(await storage.listTemporary()).toEqual([]);
});

test("the same id is never another's: the same file again is taken, another one is refused", async () => {
  const { storage } = await underTest({});
  const content = bytesOf(1000);
  const file = await keepContent(storage, "dataset", content);
  await keepContent(storage, "dataset", content, file);
  const other = bytesOf(1000, 2);
  await expect(keepContent(storage, "dataset", other, describeFile(other, file.id))).rejects.toMatchObject({
    code: "STORAGE_UNAVAILABLE",
    cause: { reason: "PreconditionFailed" },
  });
  await using local = await storage.localFile("dataset", file);
  expect(local.path).not.toBe("");
});

test("a download may take longer than the time budget, and its reader may pause for longer than a silent connection", async () => {
  const { storage } = await underTest({ S3__TIME_BUDGET_SECONDS: "0.5", S3__TIMEOUT_SECONDS: "0.5" });
  const content = bytesOf(20 * 1024 * 1024);
  const file = await keepContent(storage, "dataset", content);
  const chunks: Buffer[] = [];
  for await (const chunk of await storage.open("dataset", file.id)) {
    if (chunks.length === 1) await delay(2_000);
    chunks.push(chunk);
  }
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
});

test("parts of uploads that nobody ends are removed when they are old, as are probes", async () => {
  const bucket = await newBucket();
  const storage = await openStorage(bucket, { S3__PREFIX: "own" });
  const strangers = ["own/elsewhere/left", "strangers/left"];
  for (const Key of ["own/dataset/left", ...strangers])
    await gateway.client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
  await gateway.client.send(new PutObjectCommand({ Bucket: bucket, Key: "own/tmp/left", Body: "probe" }));
  expect(await storage.removeUnfinished(Date.now() - 3_600_000)).toBe(0);
  expect(await storage.removeUnfinished(Date.now() + 60_000)).toBe(2);
  const left = await gateway.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  expect(left.Uploads?.map(({ Key }) => Key)).toEqual(strangers);
});

test("an upload that can't be ended leaves neither parts nor an object", async () => {
  const bucket = await newBucket();
  const storage = await openStorage(bucket);
  const content = bytesOf(20 * 1024 * 1024);
  // Longer than it is: the last part would be missing.
  const file = { ...describeFile(content), sizeBytes: content.length + 10 * 1024 * 1024 };
  await expect(keepContent(storage, "dataset", content, file)).rejects.toThrow();
  expect(await storage.list("dataset")).toEqual([]);
  const left = await gateway.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  expect(left.Uploads ?? []).toEqual([]);
});

test("what is uploaded is checked by SHA-256, and says of itself what it is", async () => {
  const bucket = await newBucket();
  const storage = await openStorage(bucket);
  const file = await keepContent(storage, "dataset", bytesOf(1000));
  const head = await gateway.client.send(
    new HeadObjectCommand({ Bucket: bucket, Key: `dataset/${file.id}`, ChecksumMode: "ENABLED" }),
  );
  expect(head.ChecksumSHA256).toBe(Buffer.from(file.sha256, "hex").toString("base64"));
  expect(head).toMatchObject({ Metadata: { sha256: file.sha256 }, ContentType: "text/csv; charset=utf-8" });
});

test.each([
  [{ S3__BUCKET: "no-such-bucket" }, /^S3__BUCKET: there is no bucket "no-such-bucket"/],
  [{ S3__ACCESS_KEY_ID: "stranger" }, /^S3__ACCESS_KEY_ID: /],
  [{ S3__SECRET_ACCESS_KEY: "wrong-c0ffee" }, /^S3__SECRET_ACCESS_KEY: /],
  [{ S3__REGION: "eu-central-1" }, /^S3__REGION: /],
  [{ S3__ENDPOINT: "http://127.0.0.1:9" }, /^S3__ENDPOINT: 127\.0\.0\.1:9 can't be reached \(ECONNREFUSED\)/],
  [{ S3__ENDPOINT: "http://nowhere.invalid" }, /^S3__ENDPOINT: nowhere\.invalid can't be reached/],
] as const)("%j is said in one line that names the setting, without a secret", async (wrong, line) => {
  const bucket = await newBucket();
  const error = await openStorage(bucket, wrong).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: "StorageFault", message: expect.stringMatching(line) });
  expect(String((error as Error).message)).not.toMatch(/c0ffee|\n/);
});
