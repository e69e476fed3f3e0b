import type { RunningService } from "./service.ts";

/** A run's event stream, read in the background. */
export interface FollowedRun {
  readonly traceId: string;
  /** What has come so far. */
  readonly text: string;
  readonly isOver: boolean;
}

/** Follows a run; returns when the stream is open. */
export async function follow(service: RunningService, runId: string): Promise<FollowedRun> {
  const answer = await fetch(`${service.url}/api/ml/v1/training-runs/${runId}/events`);
  const stream = { traceId: answer.headers.get("x-trace-id") ?? "", text: "", isOver: false };
  (async () => {
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) stream.text += chunk;
    stream.isOver = true;
  })().catch(() => {}); // A stream that breaks is never over, and the test says so.
  return stream;
}
