import type { Clock } from "../../clock.ts";
import { finishRemoval, type RemovalStores } from "../../storage/finish-removal.ts";
import { markDatasetDeleting } from "../kept/dataset-repository.ts";

/** What removing a dataset needs. */
export interface RemovalParts extends RemovalStores {
  readonly clock: Clock;
}

/** Marks the row, removes the file, then the row: what is left between is finished by the reconciliation, or a TTL cycle. */
export async function removeDataset(
  parts: RemovalParts,
  id: string,
): Promise<"removed" | "removed without file" | "in use" | "gone"> {
  const marked = await markDatasetDeleting(parts.db, id, new Date(parts.clock.nowMs()));
  if (marked !== "marked") return marked;
  return (await finishRemoval(parts, "dataset", id)) ? "removed" : "removed without file";
}
