import { context } from "@opentelemetry/api";
import type { Response } from "express";
import type { Logger } from "../log.ts";
import { outsideOfTraces } from "../monitoring/spans.ts";
import type { Store } from "../store/database.ts";
import { isFinal } from "./run-lifecycle.ts";
import { findRun, type Run, readRunNotification, runsChannel } from "./run-repository.ts";

const commentMs = 15_000;

/** Tells of changes of runs, whichever process made them. */
export interface RunFeed {
  /** Calls back after each change of that run until the returned function is called. */
  subscribe(runId: string, onChange: () => void): Promise<() => Promise<void>>;
}

/** One listening connection for all subscribers of this process; it is there only while somebody subscribes. */
export function createRunFeed(store: Pick<Store, "listen">): RunFeed {
  const subscribers = new Map<string, Set<() => void>>();
  let listening: Promise<() => Promise<void>> | undefined;

  function onPayload(payload: string): void {
    for (const onChange of subscribers.get(readRunNotification(payload).id) ?? []) onChange();
  }

  return {
    async subscribe(runId, onChange) {
      const ofRun = subscribers.get(runId) ?? new Set();
      subscribers.set(runId, ofRun.add(onChange));
      const unsubscribe = async (): Promise<void> => {
        ofRun.delete(onChange);
        if (ofRun.size === 0 && subscribers.get(runId) === ofRun) subscribers.delete(runId);
        if (subscribers.size > 0 || listening === undefined) return;
        const ending = listening;
        listening = undefined;
        await (await ending)();
      };
      try {
        listening ??= store.listen(runsChannel, onPayload);
        await listening;
        return unsubscribe;
      } catch (error) {
        listening = undefined;
        await unsubscribe();
        throw error;
      }
    },
  };
}

/** What a client has seen, from its Last-Event-ID; anything but a whole number is nothing. */
export function readLastEventId(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

/** An event as the server-sent events standard writes it; JSON has no line breaks. */
export function formatEvent(event: "status" | "progress", id: number, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What to send of a run, given what was sent before. */
export function nextEvent(
  run: Pick<Run, "version" | "status" | "attempt">,
  sent: { readonly version: number; readonly status?: string | undefined; readonly attempt?: number | undefined },
): "status" | "progress" | undefined {
  if (run.version <= sent.version) return undefined;
  return run.status === sent.status && run.attempt === sent.attempt ? "progress" : "status";
}

/**
 * Streams a run's changes until its final state, or until the client leaves. States in between may be left out: an
 * event carries the run as it is when it is sent.
 * @param run as it was when the request was checked
 */
export async function streamRunEvents(
  {
    db,
    feed,
    log,
    stopping,
  }: {
    readonly db: Store["db"];
    readonly feed: RunFeed;
    readonly log: Logger;
    readonly stopping?: AbortSignal | undefined;
  },
  {
    run,
    lastEventId,
    response,
    toEvent,
  }: {
    readonly run: Run;
    readonly lastEventId: number | undefined;
    readonly response: Response;
    readonly toEvent: (run: Run) => Promise<unknown>;
  },
): Promise<void> {
  // 204 tells an EventSource not to come again (HTML standard, 9.2.3).
  if (isFinal(run.status) && lastEventId !== undefined && lastEventId >= run.version) {
    response.status(204).end();
    return;
  }
  const headers = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
  };
  // A HEAD asks for the headers alone (RFC 9110, 9.3.2): it must not wait for the run's end.
  if (response.req.method === "HEAD") {
    response.writeHead(200, headers).end();
    return;
  }
  const ended = Promise.withResolvers<void>();
  let sent: { version: number; status?: string; attempt?: number } = { version: lastEventId ?? 0 };
  let isReading = false;
  let isStale = false;
  let isOver = false;

  function end(): void {
    isOver = true;
    ended.resolve();
  }

  async function send(now: Run): Promise<void> {
    if (isOver) return;
    const event = nextEvent(now, sent);
    if (event !== undefined) {
      const data = await toEvent(now);
      if (isOver) return;
      response.write(formatEvent(event, now.version, data));
      sent = { version: now.version, status: now.status, attempt: now.attempt };
    }
    if (isFinal(now.status)) end();
  }

  /** One reading at a time; a change while reading asks for one more. */
  async function refresh(): Promise<void> {
    isStale = true;
    if (isReading) return;
    isReading = true;
    try {
      while (isStale && !isOver) {
        isStale = false;
        // A stream may read for hours: its request's trace would have a statement for each change.
        await outsideOfTraces(async () => {
          const now = await findRun(db, run.owner, run.id);
          if (now === undefined) end();
          else await send(now);
        });
      }
    } catch (error) {
      // The client comes again by itself and gets the current state.
      log.warn({ err: error, run_id: run.id }, "training: events of a run could not be read");
      end();
    } finally {
      isReading = false;
    }
  }

  response.on("close", end);
  response.on("error", end);
  stopping?.addEventListener("abort", end, { once: true });
  let unsubscribe: (() => Promise<void>) | undefined;
  let reading: Promise<void> = Promise.resolve();
  let comments: NodeJS.Timeout | undefined;
  // A notification comes outside of traces: what is logged of this stream has the ids of its request all the same.
  const onChange = context.bind(context.active(), (): void => {
    reading = refresh();
  });
  try {
    // Subscribed before it is read: no change falls between.
    unsubscribe = await feed.subscribe(run.id, onChange);
    response.writeHead(200, headers);
    response.flushHeaders();
    comments = setInterval(() => {
      response.write(": still here\n\n");
      // Also a look at the row: a notification is lost when the listening connection breaks.
      onChange();
    }, commentMs);
    if (stopping?.aborted) end();
    else onChange();
    await ended.promise;
  } finally {
    clearInterval(comments);
    isOver = true;
    stopping?.removeEventListener("abort", end);
    await reading;
    await unsubscribe?.();
    if (response.headersSent) response.end();
  }
}
