import { type DescribedRun, isFinal } from "./answers.ts";
import { currentKey, keyHeaders, keyWasRefused } from "./api-key.ts";
import { createEventReader } from "./read-events.ts";
import { apiAddress } from "./root-address.ts";

const firstPauseMs = 500;
const longestPauseMs = 30_000;

/** What a follower is told, and stopped by. */
export interface FollowOptions {
  readonly onRun: (run: DescribedRun) => void;
  readonly signal: AbortSignal;
}

/** Waits, or until it is not needed any more. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * Follows a run's events until it ends or `signal` says so. By fetch, since an EventSource can send no key. A connection that
 * breaks is opened again, after pauses that double from half a second to half a minute.
 */
export async function followRun(id: string, { onRun, signal }: FollowOptions): Promise<void> {
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      const outcome = await readOnce(id, {
        onRun: (run) => {
          pauseMs = firstPauseMs;
          onRun(run);
        },
        signal,
      });
      if (outcome === "over") return;
    } catch {
      // The service is away, or this page is: what counts is whether it is still wanted.
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** One connection, to its end. @returns whether another one would tell more */
async function readOnce(id: string, { onRun, signal }: FollowOptions): Promise<"over" | "broken"> {
  const key = currentKey();
  const response = await fetch(apiAddress(`/training-runs/${id}/events`), { headers: keyHeaders(key), signal });
  if (response.status === 401) {
    keyWasRefused(key);
    return "over";
  }
  if (response.status === 404) return "over";
  if (!response.ok || response.body === null) return "broken";
  const readEvents = createEventReader();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return "broken";
    for (const { data } of readEvents(value)) {
      const run = JSON.parse(data) as DescribedRun;
      onRun(run);
      if (isFinal(run)) return "over";
    }
  }
}
