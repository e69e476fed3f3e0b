import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { artifactRemoved } from "../monitoring/metrics.ts";
import type { Config } from "../settings/config.ts";
import { finishRemoval, type RemovalStores } from "../storage/finish-removal.ts";
import { listBeyondRetention, markArtifactDeleting } from "./artifact-repository.ts";

/** What removing models needs. */
export interface RemovalParts extends RemovalStores {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Removes one model: marked first, then its file, then its row; what is left between is finished by the reconciliation. */
export async function removeArtifact(
  parts: RemovalParts,
  id: string,
  reason: "retention" | "request",
): Promise<boolean> {
  const { db, clock } = parts;
  const isMine = await markArtifactDeleting(db, id, new Date(clock.nowMs()), { unlessPinned: reason === "retention" });
  if (!isMine) return false;
  // Counted here, not after the file: from the mark on it is gone for every caller, and only one marks it.
  artifactRemoved({ reason });
  await finishRemoval(parts, "artifact", id);
  return true;
}

/** Keeps the owner's newest MAX_MODEL_ARTIFACTS, pinned ones aside. */
export async function applyRetention(parts: RemovalParts, owner: string): Promise<void> {
  const { db, config, log } = parts;
  for (const id of await listBeyondRetention(db, owner, config.maxModelArtifacts)) {
    if (await removeArtifact(parts, id, "retention")) log.info({ artifactId: id }, "model removed by retention");
  }
}
