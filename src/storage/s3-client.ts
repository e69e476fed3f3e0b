import { S3Client } from "@aws-sdk/client-s3";
import { DomainError } from "../errors.ts";
import { explainS3Fault, isObjectMissing } from "./s3-faults.ts";
import type { S3Settings } from "./s3-settings.ts";
import { storageUnavailable } from "./storage-fault.ts";

const connectTimeoutMs = 3_000;

/** The seconds after which a silent connection is given up, in milliseconds. */
export const idleTimeoutMs = ({ s3TimeoutSeconds }: S3Settings): number => s3TimeoutSeconds * 1000;

/** The options of a call that must be over, retries included, within the time budget. */
export function withinBudget(
  { s3TimeBudgetSeconds }: S3Settings,
  { moreMs = 0, signal }: { moreMs?: number; signal?: AbortSignal | undefined } = {},
): { abortSignal: AbortSignal } {
  const timeout = AbortSignal.timeout(s3TimeBudgetSeconds * 1000 + moreMs);
  return { abortSignal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]) };
}

/**
 * The budget for a call whose answer is a stream: it is for the headers, since the SDK's signal would end the stream too.
 * @param signal of the whole work, stream included
 */
export async function untilAnswered<Value>(
  settings: S3Settings,
  send: (options: { abortSignal: AbortSignal }) => Promise<Value>,
  signal?: AbortSignal,
): Promise<Value> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), settings.s3TimeBudgetSeconds * 1000);
  try {
    return await send({ abortSignal: signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal]) });
  } finally {
    clearTimeout(timer);
  }
}

/** Faults of every call become ours, after the SDK's own retries; a missing object and a broken condition stay as they are. */
function nameFaults(client: S3Client, settings: S3Settings): void {
  client.middlewareStack.add(
    (next, context) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (isObjectMissing(error) || error instanceof DomainError) throw error;
        if (error instanceof Error && error.name === "PreconditionFailed") throw error;
        const action = String(context.commandName ?? "a call").replace(/Command$/, "");
        throw storageUnavailable(explainS3Fault(error, settings, action));
      }
    },
    { step: "initialize", priority: "high", name: "nameFaults" },
  );
}

/**
 * A client of the bucket. The SDK retries with exponential back-off and full jitter («standard» mode).
 * @param isForSlowReaders whoever downloads may pause for longer than a silent connection is given
 */
export function createS3Client(
  settings: S3Settings,
  { endpoint = settings.s3Endpoint, isForSlowReaders = false } = {},
): S3Client {
  const timeoutMs = idleTimeoutMs(settings);
  const client = new S3Client({
    region: settings.s3Region,
    ...(endpoint === "" ? {} : { endpoint }),
    ...(settings.s3AccessKeyId === ""
      ? {}
      : { credentials: { accessKeyId: settings.s3AccessKeyId, secretAccessKey: settings.s3SecretAccessKey } }),
    forcePathStyle: settings.s3ForcePathStyle,
    retryMode: "standard",
    maxAttempts: settings.s3MaxAttempts,
    requestChecksumCalculation: settings.s3Checksum === "none" ? "WHEN_REQUIRED" : "WHEN_SUPPORTED",
    // What is read is held to size and SHA-256 of its row.
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      ...(isForSlowReaders
        ? { socketTimeout: 0, requestTimeout: timeoutMs, throwOnRequestTimeout: true }
        : { socketTimeout: timeoutMs }),
    },
  });
  nameFaults(client, settings);
  return client;
}
