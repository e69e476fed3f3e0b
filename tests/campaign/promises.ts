/** What was asked for by a call whose answer may have been lost, and what was answered. */
export type Wish = "none" | "asked" | "acknowledged";

/** What the service has said yes to, kept outside of it. */
export interface Promises {
  /** By id of each upload answered with 201. */
  readonly datasets: Map<string, { readonly sha256: string; removal: Wish }>;
  /** By id of each run answered with 202; `end` is the final state in which somebody saw it. */
  readonly runs: Map<string, { cancelling: Wish; end: string | undefined }>;
  /** By id of each model that was seen; the first prediction of its kind is what it must say ever after. */
  readonly models: Map<string, { removal: Wish; prediction: string | undefined }>;
  /** Answers by what was asked for: only those that say yes. */
  readonly counts: Record<(typeof actions)[number], number>;
  /** Calls without an answer, or that were told to come again (429, 503). */
  readonly unanswered: { lost: number; later: number };
  /** What should not be, in words; empty where all promises were kept. */
  readonly broken: string[];
}

export const actions = [
  "upload",
  "train",
  "cancel",
  "look",
  "read",
  "predict",
  "removeDataset",
  "removeModel",
] as const;

export function noPromises(): Promises {
  return {
    datasets: new Map(),
    runs: new Map(),
    models: new Map(),
    counts: { upload: 0, train: 0, cancel: 0, look: 0, read: 0, predict: 0, removeDataset: 0, removeModel: 0 },
    unanswered: { lost: 0, later: 0 },
    broken: [],
  };
}
