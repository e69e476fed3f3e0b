/**
 * How long to wait before the next of several attempts: twice as long each time, and by chance up to half less, so that
 * processes that lost the same server don't come back all at once.
 * @param attempt 0 for the first wait
 */
export function backoffMs(attempt: number, firstMs: number, mostMs: number): number {
  const longestMs = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
  return longestMs * (1 - Math.random() / 2);
}
