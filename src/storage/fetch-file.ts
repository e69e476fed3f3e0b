import { createHash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { DomainError } from "../errors.ts";
import type { KeptFile } from "./file-storage.ts";
import { fileMissing, StorageFault } from "./storage-fault.ts";

const maxAttempts = 3;
const firstPauseMs = 200;

/** Writes the stream and holds it to what its row says. */
async function writeVerified(body: Readable, target: FileHandle, file: KeptFile, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(
    body,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        sizeBytes += chunk.length;
        if (sizeBytes > file.sizeBytes) break;
        hash.update(chunk);
        yield chunk;
      }
    },
    target.createWriteStream(),
    { signal },
  );
  if (sizeBytes === file.sizeBytes && hash.digest("hex") === file.sha256) return;
  throw fileMissing(
    new StorageFault(`The stored file ${file.id} is not the one that was kept: size or SHA-256 differ.`, "Damaged"),
  );
}

/**
 * Brings a file to a local path, whole and as its row says, or not at all. A body that breaks off is asked for again;
 * the SDK's retries end with the headers.
 */
export async function fetchFile(
  openBody: () => Promise<Readable>,
  path: string,
  file: KeptFile,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    // First, and awaited: a body that breaks off at once does not wait until its file is there, and this would come after
    // its removal. Between body and pipeline nothing may be awaited: nobody would hear of the body's end.
    await using target = await open(path, "wx");
    const discard = () => rm(path, { force: true });
    const body = await openBody().catch(async (error: unknown) => {
      await discard();
      throw error;
    });
    try {
      return await writeVerified(body, target, file, signal);
    } catch (error) {
      await discard();
      const isBrokenOff = error instanceof DomainError && error.code === "STORAGE_UNAVAILABLE";
      if (!isBrokenOff || attempt === maxAttempts || signal.aborted) throw error;
    }
    await delay(Math.random() * firstPauseMs * 2 ** attempt, undefined, { signal });
  }
}
