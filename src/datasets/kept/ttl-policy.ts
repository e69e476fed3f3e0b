const dayMs = 86_400_000;

/** The moment before which a dataset counts as expired; undefined when datasets are kept for ever. */
export function ttlCutoff(ttlDays: number, nowMs: number): Date | undefined {
  return ttlDays === 0 ? undefined : new Date(nowMs - ttlDays * dayMs);
}

/** When a dataset goes; null when it is kept for ever. */
export function expiresAt(createdAt: Date, ttlDays: number): Date | null {
  return ttlDays === 0 ? null : new Date(createdAt.getTime() + ttlDays * dayMs);
}
