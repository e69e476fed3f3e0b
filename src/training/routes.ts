import { setImmediate } from "node:timers/promises";
import type { Response } from "express";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { CsvEngines } from "../datasets/engines/csv-engines.ts";
import { DomainError } from "../errors.ts";
import { answerPage, decodeCursor } from "../http/cursor.ts";
import { pathOf, relativeAddress } from "../http/relative-address.ts";
import { type ApiRoute, apiPrefix, defineRoute, idParams, pageOf, pageQuery } from "../http/route.ts";
import type { Logger } from "../log.ts";
import { runFinished } from "../monitoring/metrics.ts";
import { describeActiveSpan, ofRun, ofRunToBeNamed } from "../monitoring/spans.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import type { Config } from "../settings/config.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { inTransaction, mayStand } from "../store/commit.ts";
import type { Store } from "../store/database.ts";
import { compareRoute } from "./compare-route.ts";
import { idempotencyKey, readIdempotencyKey } from "./idempotency.ts";
import { qualityRoutes } from "./quality-routes.ts";
import { createRunFeed, newsOf, type RunNews, readLastEventId, streamRunEvents } from "./run-events.ts";
import { runStatuses } from "./run-lifecycle.ts";
import { runNotFound } from "./run-not-found.ts";
import {
  type DescribedRun,
  findCancelled,
  findRun,
  listRuns,
  markCancelled,
  markEndsEarly,
  type Run,
} from "./run-repository.ts";
import { describedRunJson, describedRunSchema, mode, runRequest, runSchema, toRun } from "./run-schemas.ts";
import { submitRun } from "./submit-run.ts";

export interface TrainingRouteParts {
  readonly store: Store;
  readonly storage: FileStorage;
  readonly csvEngines: CsvEngines;
  readonly queue: JobQueue;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted at shutdown, so that event streams end and the server can close. */
  readonly stopping?: AbortSignal;
}

const tag = "Training";

/** The access line, the request's span and its handler's say which run the call was about. */
function tellRun(response: Response, runId: string): void {
  response.locals.runId = runId;
  describeActiveSpan({ runId });
}

function aboutRun(response: Response, runId: string, work: () => Promise<void>): Promise<void> {
  tellRun(response, runId);
  return ofRun(runId, work);
}

/** The calls under /training-runs, and /metrics/trends and /metrics/summary. */
export function trainingRoutes(parts: TrainingRouteParts): ApiRoute[] {
  const { store, storage, csvEngines, queue, config, clock, log, stopping } = parts;
  const { db } = store;
  const feed = createRunFeed(store);

  /** Where each of these waits. Positions cost a look at the whole queue: only when one of them does. */
  async function positionsOf(runs: readonly Run[]) {
    const positions = runs.some(({ status }) => status === "queued")
      ? await queue.positions("training")
      : new Map<string, number>();
    return (run: Run): number | null => (run.status === "queued" ? (positions.get(run.id) ?? null) : null);
  }

  async function describeOne(run: DescribedRun): Promise<string> {
    const positionOf = await positionsOf([run]);
    // Its row has just been read: a megabyte of one over 2,000 columns is written in a piece of its own.
    await setImmediate();
    return describedRunJson(run, positionOf(run));
  }

  async function existing(owner: string, id: string): Promise<DescribedRun> {
    const run = await findRun(db, owner, id);
    if (run === undefined) throw runNotFound();
    return run;
  }

  async function readNews(owner: string, id: string): Promise<RunNews | undefined> {
    const run = await findRun(db, owner, id);
    return run && newsOf(run, () => describeOne(run));
  }

  async function cancel(owner: string, id: string, keepBest: boolean): Promise<DescribedRun> {
    const nowMs = clock.nowMs();
    let isMarked = false;
    const cancelled = await inTransaction(db, async (tx) => {
      const kept = keepBest ? await markEndsEarly(tx, owner, id) : undefined;
      const run = kept ?? (await markCancelled(tx, owner, id, nowMs));
      isMarked = run !== undefined;
      if (run?.status === "cancelled") await queue.cancel("training", run.id, tx);
      return run;
    }).catch(async (error: unknown) => {
      // Only the answer may be lost: a run that is cancelled all the same would never be counted.
      const run = isMarked && mayStand(error) ? await findCancelled(db, id, keepBest) : undefined;
      if (run === undefined) throw error;
      return run;
    });
    if (cancelled === undefined) {
      const { status } = await existing(owner, id);
      throw new DomainError(
        "RUN_ALREADY_FINAL",
        `The run has ended already (${status}); there is nothing left to cancel.`,
      );
    }
    if (cancelled.status !== "cancelled") return cancelled;
    const { mode, task, started_at } = cancelled;
    const durationSeconds = started_at === null ? 0 : Math.max(0, (nowMs - started_at.getTime()) / 1000);
    runFinished({ mode, task, outcome: "cancelled", durationSeconds });
    return cancelled;
  }

  return [
    defineRoute({
      method: "post",
      path: "/training-runs",
      operationId: "submitTrainingRun",
      tag,
      summary: "Train a model on a dataset",
      headers: z.object({
        "Idempotency-Key": z
          .string()
          .regex(idempotencyKey)
          .optional()
          .describe("The same key with the same body within 24 h answers the same run."),
      }),
      body: runRequest,
      responses: {
        202: {
          description: "The run waits in the queue; Location tells where to follow it.",
          schema: describedRunSchema,
          headers: z.object({ Location: z.string().describe("Of the run, relative to this address.") }),
        },
      },
      errors: [
        "DATASET_NOT_FOUND",
        "TARGET_UNKNOWN",
        "TARGET_NOT_NUMERIC",
        "FEATURE_UNKNOWN",
        "FEATURE_LEFT_OUT",
        "PARAMETER_UNUSABLE",
        "VALIDATION_FAILED",
        "JSON_INVALID",
        "BODY_TOO_LARGE",
        "UNSUPPORTED_MEDIA_TYPE",
        "IDEMPOTENCY_KEY_INVALID",
        "IDEMPOTENCY_KEY_REUSED",
        "QUEUE_FULL",
        "TRAINING_TOO_LARGE",
        "CHECKS_BUSY",
        "DISK_FULL",
        "FILE_MISSING_IN_STORAGE",
        "STORAGE_UNAVAILABLE",
      ],
      async handle({ owner, body, request, response }) {
        const idempotencyKey = readIdempotencyKey(request.get("Idempotency-Key"));
        await ofRunToBeNamed(async (nameRun) => {
          const run = await submitRun(
            { store, db, storage, csvEngines, queue, config, clock },
            { owner, request: body, idempotencyKey, nameRun },
          );
          tellRun(response, run.id);
          response
            .status(202)
            .location(relativeAddress(pathOf(request), `${apiPrefix}/training-runs/${run.id}`))
            .type("json")
            .send(await describeOne(run));
        });
      },
    }),
    defineRoute({
      method: "get",
      path: "/training-runs",
      operationId: "listTrainingRuns",
      tag,
      summary: "List training runs, newest first",
      query: pageQuery.extend({
        datasetId: z.uuid().optional(),
        status: z.enum(runStatuses).optional(),
        mode: mode.optional(),
      }),
      responses: { 200: { description: "A page of runs.", schema: pageOf(runSchema) } },
      errors: ["VALIDATION_FAILED", "CURSOR_INVALID"],
      async handle({ owner, query, response }) {
        const { limit, cursor, ...filter } = query;
        const page = await listRuns(db, owner, { ...filter, limit, beforeId: decodeCursor(cursor) });
        const positionOf = await positionsOf(page.items);
        response.json(answerPage(page, (run) => toRun(run, positionOf(run))));
      },
    }),
    compareRoute(parts),
    defineRoute({
      method: "get",
      path: "/training-runs/:id",
      operationId: "getTrainingRun",
      tag,
      summary: "A training run: its state, progress, metrics or error, and what became of each column",
      params: idParams,
      responses: { 200: { description: "The run.", schema: describedRunSchema } },
      errors: ["RUN_NOT_FOUND", "ID_INVALID"],
      async handle({ owner, params, response }) {
        await aboutRun(response, params.id, async () => {
          response.type("json").send(await describeOne(await existing(owner, params.id)));
        });
      },
    }),
    defineRoute({
      method: "get",
      path: "/training-runs/:id/events",
      operationId: "followTrainingRun",
      tag,
      summary: "Follow a training run by server-sent events",
      params: idParams,
      headers: z.object({
        "Last-Event-ID": z.string().optional().describe("The run's version that the client has seen."),
      }),
      responses: {
        200: {
          description: "Events `status` and `progress` with the run as data, until its final state.",
          contentType: "text/event-stream",
          // Of each event, as tools read it before OpenAPI 3.2.
          schema: z.object({
            event: z.enum(["status", "progress"]),
            id: z.string().describe("The run's version."),
            data: z.string().describe("A TrainingRunWithColumns, as JSON."),
          }),
        },
        204: { description: "The run is final and Last-Event-ID has seen it." },
      },
      errors: ["RUN_NOT_FOUND", "ID_INVALID"],
      async handle({ owner, params, request, response }) {
        await aboutRun(response, params.id, async () => {
          const run = await existing(owner, params.id);
          const lastEventId = readLastEventId(request.get("Last-Event-ID"));
          await streamRunEvents(
            { feed, log, stopping },
            { run, lastEventId, response, read: () => readNews(owner, run.id) },
          );
        });
      },
    }),
    defineRoute({
      method: "post",
      path: "/training-runs/:id/cancel",
      operationId: "cancelTrainingRun",
      tag,
      summary: "Cancel a training run, also while it runs; a search keeps the best so far",
      params: idParams,
      query: z.object({
        keepBest: z
          .enum(["true", "false"])
          .default("true")
          .describe(
            "Of the mode auto. false: it is cancelled without a model, as other runs are, whatever it has found.",
          ),
      }),
      responses: {
        202: {
          description:
            "The run is cancelled; its process ends within a second. Of the mode auto, where a trial has a score: it stays `running` with `endsEarly`, makes a model of the best so far, and ends as `succeeded`, unless `keepBest` is false.",
          schema: describedRunSchema,
        },
      },
      errors: ["RUN_NOT_FOUND", "RUN_ALREADY_FINAL", "ID_INVALID", "VALIDATION_FAILED"],
      async handle({ owner, params, query, response }) {
        await aboutRun(response, params.id, async () => {
          response
            .status(202)
            .type("json")
            .send(await describeOne(await cancel(owner, params.id, query.keepBest === "true")));
        });
      },
    }),
    ...qualityRoutes(parts),
  ];
}
