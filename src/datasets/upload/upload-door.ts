import type { Request, Response } from "express";
import { DomainError } from "../../errors.ts";
import { leavingOf } from "../../http/leaving.ts";
import { type ReceivedFile, receiveUpload } from "../../http/upload-stream.ts";
import { withSpan } from "../../monitoring/spans.ts";
import type { Config } from "../../settings/config.ts";
import type { FileStorage } from "../../storage/file-storage.ts";
import type { Store } from "../../store/database.ts";

/** Lets files in, a few at a time. */
export interface UploadDoor {
  /**
   * Receives the file of a form and works with it; it is gone afterwards, unless the work has kept it.
   * @param work its signal is aborted when the sender has gone
   * @throws DomainError TOO_MANY_UPLOADS, what receiving a file throws, what the work throws
   */
  receive<Value>(
    owner: string,
    exchange: { readonly request: Request; readonly response: Response },
    work: (received: ReceivedFile, signal: AbortSignal) => Promise<Value>,
  ): Promise<Value>;
}

/** The one door of a process: whatever a file is sent for, it takes one of the same places. */
export function openUploadDoor({
  store,
  storage,
  config,
}: {
  readonly store: Pick<Store, "requireRoom">;
  readonly storage: FileStorage;
  readonly config: Config;
}): UploadDoor {
  let inHand = 0;
  const ofOwner = new Map<string, number>();
  const ownerCount = new Set(config.apiKeys.map(({ owner }) => owner)).size;
  // One owner must not keep all others out.
  const mostOfOwner = ownerCount > 1 ? Math.ceil(config.maxConcurrentUploads / 2) : config.maxConcurrentUploads;

  return {
    async receive(owner, { request, response }, work) {
      const own = ofOwner.get(owner) ?? 0;
      if (inHand >= config.maxConcurrentUploads || own >= mostOfOwner) {
        throw new DomainError(
          "TOO_MANY_UPLOADS",
          `${inHand} uploads are under way, ${own} of them yours. Try again in a moment.`,
          { retryAfterSeconds: 1 },
        );
      }
      inHand += 1;
      ofOwner.set(owner, own + 1);
      const leaving = leavingOf(response);
      try {
        await store.requireRoom();
        const received = await withSpan("dataset receive", {}, () =>
          receiveUpload(request, response, {
            storage,
            maxBytes: config.maxUploadBytes,
            pace: {
              windowSeconds: config.uploadIdleTimeoutSeconds,
              minBytes: Math.max(1, Math.ceil(config.uploadMinBytesPerSecond * config.uploadIdleTimeoutSeconds)),
            },
          }),
        );
        try {
          return await work(received, leaving);
        } finally {
          await storage.discard(received.temporaryPath);
        }
      } finally {
        inHand -= 1;
        const left = (ofOwner.get(owner) ?? 1) - 1;
        if (left === 0) ofOwner.delete(owner);
        else ofOwner.set(owner, left);
      }
    },
  };
}
