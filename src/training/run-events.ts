import { context } from "@opentelemetry/api";
import type { Response } from "express";
import { eventHeaders, writeEvent } from "../http/events.ts";
import type { Logger } from "../log.ts";
import { outsideOfTraces } from "../monitoring/spans.ts";
import type { Store } from "../store/database.ts";
import { isFinal, type RunStatus } from "./run-lifecycle.ts";
import { type Run, readRunNotification, runsChannel } from "./run-repository.ts";

const commentMs = 15_000;
const lookMs = 15_000;

/** A run as its followers are told of it. */
export interface RunNews {
  readonly version: number;
  readonly status: RunStatus;
  readonly attempt: number;
  /** The run as the API shows it, as JSON: half a megabyte of one over 2,000 columns. Made once, when somebody sends it. */
  readonly json: () => Promise<Buffer>;
}

/** @param describe gives JSON; called once, when somebody sends it */
export function newsOf({ version, status, attempt }: Run, describe: () => Promise<string>): RunNews {
  let described: Promise<Buffer> | undefined;
  const write = async (): Promise<Buffer> => Buffer.from(await describe());
  return { version, status, attempt, json: () => (described ??= write()) };
}

/** Reads the run anew; undefined when it is gone. */
type ReadNews = () => Promise<RunNews | undefined>;
/** Reads, or gives what another has read after the same change. */
type ShareNews = (read: ReadNews) => ReturnType<ReadNews>;
/** Ends when the follower has read, and never fails. */
type OnChange = (share: ShareNews) => Promise<void>;

/** Tells of changes of runs, whichever process made them. */
export interface RunFeed {
  /**
   * Calls back after each change of that run until the returned function is called. All of its followers share one reading
   * of each change: thirty who followed a wide run held the event loop for 0.5 s (measured November 2026).
   */
  subscribe(runId: string, onChange: OnChange): Promise<() => Promise<void>>;
}

function shareOneReading(): ShareNews {
  let reading: ReturnType<ReadNews> | undefined;
  return (read) => {
    reading ??= read();
    return reading;
  };
}

/**
 * One listening connection for all subscribers of this process, and a look at their runs now and then; both are there only
 * while somebody subscribes.
 */
export function createRunFeed(store: Pick<Store, "listen">): RunFeed {
  const subscribers = new Map<string, Set<OnChange>>();
  let listening: Promise<() => Promise<void>> | undefined;
  let looking: NodeJS.Timeout | undefined;

  async function tell(runId: string): Promise<void> {
    const share = shareOneReading();
    await Promise.all([...(subscribers.get(runId) ?? [])].map((onChange) => onChange(share)));
  }

  // A notification is lost when the listening connection breaks. One run after the other: all at once would leave nobody
  // else a connection.
  let isLooking = false;
  async function lookAtAll(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    for (const runId of [...subscribers.keys()]) await tell(runId);
    isLooking = false;
  }

  return {
    async subscribe(runId, onChange) {
      const ofRun = subscribers.get(runId) ?? new Set();
      subscribers.set(runId, ofRun.add(onChange));
      const unsubscribe = async (): Promise<void> => {
        ofRun.delete(onChange);
        if (ofRun.size === 0 && subscribers.get(runId) === ofRun) subscribers.delete(runId);
        if (subscribers.size > 0 || listening === undefined) return;
        clearInterval(looking);
        const ending = listening;
        listening = undefined;
        await (await ending)();
      };
      if (listening === undefined) {
        looking = setInterval(() => void lookAtAll(), lookMs);
        listening = store.listen(runsChannel, (payload) => void tell(readRunNotification(payload).id));
      }
      const own = listening;
      try {
        await own;
        return unsubscribe;
      } catch (error) {
        if (listening === own) {
          clearInterval(looking);
          listening = undefined;
        }
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

/** What to send of a run, given what was sent before. */
export function nextEvent(
  run: Pick<RunNews, "version" | "status" | "attempt">,
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
    feed,
    log,
    stopping,
  }: {
    readonly feed: RunFeed;
    readonly log: Logger;
    readonly stopping?: AbortSignal | undefined;
  },
  {
    run,
    lastEventId,
    response,
    read,
  }: {
    readonly run: Pick<Run, "id" | "version" | "status">;
    readonly lastEventId: number | undefined;
    readonly response: Response;
    readonly read: ReadNews;
  },
): Promise<void> {
  // 204 tells an EventSource not to come again (HTML standard, 9.2.3).
  if (isFinal(run.status) && lastEventId !== undefined && lastEventId >= run.version) {
    response.status(204).end();
    return;
  }
  // A HEAD asks for the headers alone (RFC 9110, 9.3.2): it must not wait for the run's end.
  if (response.req.method === "HEAD") {
    response.writeHead(200, eventHeaders).end();
    return;
  }
  const ended = Promise.withResolvers<void>();
  let sent: { version: number; status?: string; attempt?: number } = { version: lastEventId ?? 0 };
  let reading: Promise<void> | undefined;
  let unread: ShareNews | undefined;
  let isOver = false;

  function end(): void {
    isOver = true;
    ended.resolve();
  }

  async function send(news: RunNews): Promise<void> {
    const { version, status, attempt } = news;
    const event = nextEvent(news, sent);
    if (event !== undefined) {
      const json = await news.json();
      if (isOver) return;
      writeEvent(response, { event, id: version, json });
      sent = { version, status, attempt };
    }
    if (isFinal(status)) end();
  }

  /** Until nothing is unread: a change while reading asks for one more. */
  async function readOn(): Promise<void> {
    try {
      while (unread !== undefined && !isOver) {
        const next = unread;
        unread = undefined;
        // A stream may read for hours: its request's trace would have a statement for each change.
        await outsideOfTraces(async () => {
          const news = await next(read);
          if (news === undefined) end();
          else if (!isOver) await send(news);
        });
      }
    } catch (error) {
      // The client comes again by itself and gets the current state.
      log.warn({ err: error, run_id: run.id }, "training: events of a run could not be read");
      end();
    } finally {
      reading = undefined;
    }
  }

  response.on("close", end);
  response.on("error", end);
  stopping?.addEventListener("abort", end, { once: true });
  let unsubscribe: (() => Promise<void>) | undefined;
  let comments: NodeJS.Timeout | undefined;
  // A notification comes outside of traces: what is logged of this stream has the ids of its request all the same.
  const onChange = context.bind(context.active(), (share: ShareNews): Promise<void> => {
    unread = share;
    reading ??= readOn();
    return reading;
  });
  try {
    // Subscribed before it is read: no change falls between.
    unsubscribe = await feed.subscribe(run.id, onChange);
    response.writeHead(200, eventHeaders);
    response.flushHeaders();
    comments = setInterval(() => response.write(": still here\n\n"), commentMs);
    if (stopping?.aborted) end();
    else void onChange(shareOneReading());
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
