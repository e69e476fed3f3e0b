import { createReadStream } from "node:fs";
import { AbortMultipartUploadCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { FileKind, KeptFile } from "./file-storage.ts";
import { withinBudget } from "./s3-client.ts";
import type { S3Settings } from "./s3-settings.ts";
import { StorageFault, storageUnavailable } from "./storage-fault.ts";

const partBytes = 8 * 1024 * 1024;
const maxParts = 10_000;
/** Two parts of an upload are in memory at a time, and nothing else of it. */
const partsAtOnce = 2;
/** A slower way to the storage counts as none. */
const leastBytesPerSecond = 100_000;
/** What is unfinished for an hour is swept: an upload must be over before. */
const longestMs = 55 * 60_000;

const contentTypeOf = {
  dataset: "text/csv; charset=utf-8",
  typed: "application/vnd.apache.parquet",
  artifact: "application/json",
} as const satisfies Record<FileKind, string>;

/** How long moving so many bytes may take beyond the time budget. */
export const transferMs = (sizeBytes: number): number =>
  Math.min(longestMs, Math.ceil((sizeBytes / leastBytesPerSecond) * 1000));

/** The same client, whose calls end with the signal; lib-storage would let those in hand go on. Clearing up is exempt. */
function endingWith(client: S3Client, settings: S3Settings, abortSignal: AbortSignal): S3Client {
  const send = (command: Parameters<S3Client["send"]>[0]) =>
    client.send(command, command instanceof AbortMultipartUploadCommand ? withinBudget(settings) : { abortSignal });
  return Object.create(client, { send: { value: send } }) as S3Client;
}

/**
 * Sends a local file, in parts where it is large. The storage checks each part by its checksum; what fails leaves
 * neither an object nor parts, unless the process or the way to the storage ends first: that is for the sweep.
 * @param isConditional only if there is no such object; false for a storage that knows no `If-None-Match`
 */
export async function uploadFile(
  client: S3Client,
  settings: S3Settings,
  {
    key,
    path,
    kind,
    file,
    isConditional,
  }: {
    readonly key: string;
    readonly path: string;
    readonly kind: FileKind;
    readonly file: KeptFile;
    readonly isConditional: boolean;
  },
): Promise<void> {
  const { s3Bucket: Bucket, s3ServerSideEncryption, s3KmsKeyId, s3Checksum } = settings;
  const { abortSignal } = withinBudget(settings, { moreMs: transferMs(file.sizeBytes) });
  const body = createReadStream(path);
  const upload = new Upload({
    client: endingWith(client, settings, abortSignal),
    partSize: Math.max(partBytes, Math.ceil(file.sizeBytes / maxParts)),
    queueSize: partsAtOnce,
    params: {
      Bucket,
      Key: key,
      Body: body,
      ContentLength: file.sizeBytes,
      ContentType: contentTypeOf[kind],
      Metadata: { sha256: file.sha256 },
      ...(s3Checksum === "none" ? {} : { ChecksumAlgorithm: s3Checksum }),
      ...(s3ServerSideEncryption === "none" ? {} : { ServerSideEncryption: s3ServerSideEncryption }),
      ...(s3KmsKeyId === "" ? {} : { SSEKMSKeyId: s3KmsKeyId }),
      ...(isConditional ? { IfNoneMatch: "*" } : {}),
    },
  });
  try {
    await upload.done();
  } catch (error) {
    if (!(error instanceof Error && error.name === "PreconditionFailed")) throw error;
    // Ids are never used twice: it is ours, from a try whose answer was lost.
    const found = await client.send(new HeadObjectCommand({ Bucket, Key: key }), withinBudget(settings));
    if (found.ContentLength === file.sizeBytes && found.Metadata?.sha256 === file.sha256) return;
    throw storageUnavailable(
      new StorageFault(`S3__PREFIX: there is another object at ${key} already`, "PreconditionFailed"),
    );
  } finally {
    body.destroy();
  }
}
