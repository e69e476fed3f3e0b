import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { DomainError } from "../errors.ts";
import { fetchFile } from "./fetch-file.ts";
import { type FileKind, type FileStorage, fileKinds } from "./file-storage.ts";
import { openTemporaryFolder } from "./local-storage.ts";
import { createS3Client, idleTimeoutMs, untilAnswered, withinBudget } from "./s3-client.ts";
import { endpointOf, explainS3Fault, isObjectMissing, s3CodeOf } from "./s3-faults.ts";
import type { S3Settings } from "./s3-settings.ts";
import { fileMissing, StorageFault, storageUnavailable } from "./storage-fault.ts";
import { transferMs, uploadFile } from "./upload-file.ts";
import { watchedBody } from "./watched-body.ts";

const checkTimeoutMs = 2_000;

interface OpenOptions {
  readonly range?: { start: number; end: number } | undefined;
  /** Default: the client for readers that may pause. */
  readonly from?: S3Client;
  readonly signal?: AbortSignal;
}

/** Undefined for an object that is not there. */
async function unlessMissing<Value>(read: Promise<Value>): Promise<Value | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isObjectMissing(error)) return undefined;
    throw error;
  }
}

/** The reason without the wrapping that callers of the API see. */
const reasonOf = (error: unknown): unknown =>
  error instanceof DomainError && error.cause instanceof StorageFault ? error.cause : error;

/**
 * Files in a bucket: `<prefix>/<kind>/<id>`. They are written and checked in the local temporary folder first, and
 * fetched into it for what reads by path.
 * @throws StorageFault that names the setting, when the bucket can't be used
 */
export async function openS3Storage(settings: S3Settings, localFolder: string): Promise<FileStorage> {
  const temporary = await openTemporaryFolder(localFolder);
  const client = createS3Client(settings);
  const downloads = createS3Client(settings, { isForSlowReaders: true });
  const { s3PublicEndpoint } = settings;
  const signer = createS3Client(settings, s3PublicEndpoint === "" ? {} : { endpoint: s3PublicEndpoint });
  const Bucket = settings.s3Bucket;
  const prefix = settings.s3Prefix === "" ? "" : `${settings.s3Prefix}/`;
  const keyOf = (kind: FileKind, id: string): string => `${prefix}${kind}/${id}`;
  const markKey = `${prefix}deployment`;
  const probes = `${prefix}tmp/`;
  const bounded = () => withinBudget(settings);

  const head = (kind: FileKind, id: string): Promise<HeadObjectCommandOutput | undefined> =>
    unlessMissing(client.send(new HeadObjectCommand({ Bucket, Key: keyOf(kind, id) }), bounded()));

  async function open(
    kind: FileKind,
    id: string,
    { range, from = downloads, signal }: OpenOptions = {},
  ): Promise<Readable> {
    const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end}`;
    const command = new GetObjectCommand({ Bucket, Key: keyOf(kind, id), Range });
    const answer = await unlessMissing(untilAnswered(settings, (options) => from.send(command, options), signal));
    if (answer?.Body === undefined) throw fileMissing();
    return watchedBody(answer.Body as Readable, idleTimeoutMs(settings), (error) =>
      storageUnavailable(explainS3Fault(error, settings, "GetObject")),
    );
  }

  async function* objectsBelow(Prefix: string): AsyncGenerator<{ key: string; modifiedMs: number }> {
    // By hand, since the SDK's paginator has one time budget for all pages.
    for (let ContinuationToken: string | undefined; ; ) {
      const page: ListObjectsV2CommandOutput = await client.send(
        new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }),
        bounded(),
      );
      for (const { Key, LastModified } of page.Contents ?? [])
        if (Key !== undefined) yield { key: Key, modifiedMs: LastModified?.getTime() ?? 0 };
      ContinuationToken = page.NextContinuationToken;
      if (ContinuationToken === undefined) return;
    }
  }

  async function* uploadsInHand(Prefix: string): AsyncGenerator<{ key: string; UploadId: string; startedMs: number }> {
    for (let KeyMarker: string | undefined, UploadIdMarker: string | undefined; ; ) {
      const page: ListMultipartUploadsCommandOutput = await client.send(
        new ListMultipartUploadsCommand({ Bucket, Prefix, KeyMarker, UploadIdMarker }),
        bounded(),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
        if (Key !== undefined && UploadId !== undefined)
          yield { key: Key, UploadId, startedMs: Initiated?.getTime() ?? 0 };
      if (page.IsTruncated !== true) return;
      KeyMarker = page.NextKeyMarker;
      UploadIdMarker = page.NextUploadIdMarker;
    }
  }

  /** @returns whether the storage keeps to `If-None-Match` */
  async function tryRights(): Promise<boolean> {
    const Key = `${probes}${randomUUID()}`;
    const put = (IfNoneMatch?: string) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body: "probe", IfNoneMatch }), bounded());
    let isConditional = true;
    try {
      await put("*");
    } catch (error) {
      if (s3CodeOf(reasonOf(error)) !== "NotImplemented") throw error;
      isConditional = false;
      await put();
    }
    const probe = await client.send(new GetObjectCommand({ Bucket, Key }), bounded());
    await probe.Body?.transformToString();
    await client.send(new ListObjectsV2Command({ Bucket, Prefix: probes, MaxKeys: 1 }), bounded());
    await client.send(new DeleteObjectCommand({ Bucket, Key }), bounded());
    return isConditional;
  }

  const stop = async (): Promise<void> => {
    for (const each of [client, downloads, signer]) each.destroy();
  };
  const isConditional = await tryRights().catch(async (error: unknown) => {
    await stop();
    throw reasonOf(error);
  });

  return {
    ...temporary,
    place: { name: `s3://${Bucket}/${prefix} at ${endpointOf(settings)}`, setBy: "S3__BUCKET, S3__PREFIX" },
    keep: (path, kind, file) =>
      uploadFile(client, settings, { key: keyOf(kind, file.id), path, kind, file, isConditional }),
    async localFile(kind, file, signal) {
      const path = temporary.temporaryPath(`copy-${randomUUID()}`);
      const { abortSignal } = withinBudget(settings, { moreMs: transferMs(file.sizeBytes), signal });
      const openAgain = () => open(kind, file.id, { from: client, signal: abortSignal });
      await fetchFile(openAgain, path, file, abortSignal);
      return { path, [Symbol.asyncDispose]: () => temporary.discard(path) };
    },
    async sizeOf(kind, id) {
      const size = (await head(kind, id))?.ContentLength;
      if (size === undefined) throw fileMissing();
      return size;
    },
    open: (kind, id, range) => open(kind, id, { range }),
    async downloadUrl(kind, id, { contentType, disposition }) {
      if (settings.s3PresignSeconds === 0) return undefined;
      const command = new GetObjectCommand({
        Bucket,
        Key: keyOf(kind, id),
        ResponseContentType: contentType,
        ResponseContentDisposition: disposition,
        ResponseCacheControl: "private, no-cache",
      });
      return getSignedUrl(signer, command, { expiresIn: settings.s3PresignSeconds });
    },
    async remove(kind, id) {
      // Deleting does not tell whether there was anything.
      if ((await head(kind, id)) === undefined) return false;
      await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(kind, id) }), bounded());
      return true;
    },
    exists: async (kind, id) => (await head(kind, id)) !== undefined,
    async list(kind) {
      const start = `${prefix}${kind}/`;
      const files: { id: string; modifiedMs: number }[] = [];
      for await (const { key, modifiedMs } of objectsBelow(start))
        files.push({ id: key.slice(start.length), modifiedMs });
      return files;
    },
    async removeUnfinished(olderThanMs) {
      let removed = 0;
      // Kind by kind: without a prefix the bucket may hold what is not ours.
      for (const kind of fileKinds) {
        for await (const { key: Key, UploadId, startedMs } of uploadsInHand(keyOf(kind, ""))) {
          if (startedMs >= olderThanMs) continue;
          await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), bounded());
          removed += 1;
        }
      }
      for await (const { key, modifiedMs } of objectsBelow(probes)) {
        if (modifiedMs >= olderThanMs) continue;
        await client.send(new DeleteObjectCommand({ Bucket, Key: key }), bounded());
        removed += 1;
      }
      return removed;
    },
    async readMark() {
      const mark = await unlessMissing(client.send(new GetObjectCommand({ Bucket, Key: markKey }), bounded()));
      return mark?.Body?.transformToString();
    },
    writeMark: async (mark) => {
      await client.send(new PutObjectCommand({ Bucket, Key: markKey, Body: mark }), bounded());
    },
    // A bucket has no end that anybody knows.
    space: async () => undefined,
    async check() {
      const abortSignal = AbortSignal.timeout(checkTimeoutMs);
      try {
        const mark = await unlessMissing(client.send(new GetObjectCommand({ Bucket, Key: markKey }), { abortSignal }));
        await mark?.Body?.transformToString();
      } catch (error) {
        throw reasonOf(error);
      }
    },
    stop,
  };
}
