import express, { type Request, type Response } from "express";
import { z } from "zod";
import { ClientClosedError, DomainError } from "../errors.ts";
import { answerPage, decodeCursor } from "../http/cursor.ts";
import { leavingOf } from "../http/leaving.ts";
import { isCallersFault, toDomainError } from "../http/problem.ts";
import { type ApiRoute, defineRoute, idParams, pageOf, pageQuery } from "../http/route.ts";
import type { RunMetrics } from "../models/model-metrics.ts";
import { type Predicted, predicted } from "../monitoring/metrics.ts";
import { describeSpan, withSpan } from "../monitoring/spans.ts";
import { type Artifact, findArtifact, findDescribedArtifact, listArtifacts, setPinned } from "./artifact-repository.ts";
import {
  artifactSchema,
  describedArtifactJson,
  describedArtifactSchema,
  predictionSchema,
  rowsBody,
  toArtifact,
} from "./artifact-schemas.ts";
import { contentRoute } from "./content-route.ts";
import { existingArtifact } from "./existing-artifact.ts";
import type { Predictor } from "./predictor.ts";
import type { PredictionBody } from "./read-prediction-rows.ts";
import { type RemovalParts, removeArtifact } from "./retention.ts";
import { schemaRoute } from "./schema-route.ts";

const tag = "Artifacts";
const bodyLimitBytes = 4 * 1024 * 1024;

const receiveBody = express.raw({ type: () => true, limit: bodyLimitBytes });

/** The rows of a prediction as they come; whoever predicts reads them. */
async function receiveRows(request: Request, response: Response): Promise<PredictionBody> {
  const format = request.is("text/csv") ? "csv" : request.is("application/json") ? "json" : undefined;
  if (format === undefined) {
    throw new DomainError(
      "UNSUPPORTED_MEDIA_TYPE",
      'Send {"rows": [{column: value}]} as application/json, or a CSV as text/csv.',
    );
  }
  await new Promise<void>((resolve, reject) =>
    receiveBody(request, response, (error?: unknown) => (error ? reject(error) : resolve())),
  );
  const [, charset] = /;\s*charset="?([^\s;"]+)/i.exec(request.headers["content-type"] ?? "") ?? [];
  return { format, charset, bytes: request.body as Buffer };
}

/** How a prediction ended that did not succeed. */
function outcomeOf(fault: unknown): Exclude<Predicted["outcome"], "succeeded"> {
  if (fault instanceof ClientClosedError) return "aborted";
  return isCallersFault(toDomainError(fault).code) ? "rejected" : "failed";
}

/** What the calls under /artifacts need. */
export interface ArtifactParts extends RemovalParts {
  readonly predictor: Predictor;
}

/** The names of its classes; none where it says numbers. */
function classesOf({ metrics }: Artifact): readonly string[] {
  const { confusionMatrix } = metrics as Partial<RunMetrics>;
  return confusionMatrix?.classes ?? [];
}

/** The names of the columns that it learnt from. */
function columnsOf({ metrics }: Artifact): readonly string[] {
  const { featureImportances } = metrics as Partial<RunMetrics>;
  return Object.keys(featureImportances ?? {});
}

/** The calls under /artifacts: models to look at, download, keep, remove, and predict with. */
export function artifactRoutes(parts: ArtifactParts): ApiRoute[] {
  const { db, predictor } = parts;

  const existing = (owner: string, id: string): Promise<Artifact> => existingArtifact(findArtifact(db, owner, id));

  return [
    defineRoute({
      method: "get",
      path: "/artifacts",
      operationId: "listArtifacts",
      tag,
      summary: "List models, newest first",
      query: pageQuery.extend({
        datasetId: z.uuid().optional(),
        runId: z.uuid().optional(),
        mode: z.enum(["light", "heavy"]).optional(),
      }),
      responses: { 200: { description: "A page of models.", schema: pageOf(artifactSchema) } },
      errors: ["VALIDATION_FAILED", "CURSOR_INVALID"],
      async handle({ owner, query, response }) {
        const page = await listArtifacts(db, owner, { ...query, before: decodeCursor(query.cursor) });
        response.json(answerPage(page, toArtifact));
      },
    }),
    defineRoute({
      method: "get",
      path: "/artifacts/:id",
      operationId: "getArtifact",
      tag,
      summary: "One model, with what it takes",
      params: idParams,
      responses: { 200: { description: "The model.", schema: describedArtifactSchema } },
      errors: ["ID_INVALID", "ARTIFACT_NOT_FOUND"],
      async handle({ owner, params, response }) {
        const artifact = await existingArtifact(findDescribedArtifact(db, owner, params.id));
        response.type("json").send(describedArtifactJson(artifact));
      },
    }),
    schemaRoute(db),
    contentRoute(parts),
    defineRoute({
      method: "delete",
      path: "/artifacts/:id",
      operationId: "deleteArtifact",
      tag,
      summary: "Remove a model; its run keeps the metrics",
      params: idParams,
      responses: { 204: { description: "Removed." } },
      errors: ["ID_INVALID", "ARTIFACT_NOT_FOUND", "STORAGE_UNAVAILABLE"],
      async handle({ owner, params, response }) {
        const artifact = await existing(owner, params.id);
        await removeArtifact(parts, artifact.id, "request");
        response.status(204).end();
      },
    }),
    defineRoute({
      method: "patch",
      path: "/artifacts/:id",
      operationId: "updateArtifact",
      tag,
      summary: "Pin a model, so that retention leaves it, or unpin it",
      params: idParams,
      body: z.object({ pinned: z.boolean() }).strict(),
      responses: { 200: { description: "The model as it is now.", schema: describedArtifactSchema } },
      errors: [
        "ID_INVALID",
        "ARTIFACT_NOT_FOUND",
        "VALIDATION_FAILED",
        "JSON_INVALID",
        "UNSUPPORTED_MEDIA_TYPE",
        "BODY_TOO_LARGE",
      ],
      async handle({ owner, params, body, response }) {
        await existing(owner, params.id);
        const updated = await setPinned(db, owner, params.id, body.pinned);
        if (updated === undefined) throw new DomainError("ARTIFACT_NOT_FOUND", "The artifact was removed just now.");
        response.type("json").send(describedArtifactJson(updated));
      },
    }),
    defineRoute({
      method: "post",
      path: "/artifacts/:id/predictions",
      operationId: "predict",
      tag,
      summary: "Predict up to 1,000 rows",
      params: idParams,
      query: z.object({
        strict: z
          .enum(["true", "false"])
          .default("false")
          .describe("true: a value that the model never saw is refused instead of told."),
        explain: z
          .enum(["true", "false"])
          .default("false")
          .describe("true: each row tells what each column adds to its answer (SHAP values)."),
      }),
      rawBody: { "application/json": rowsBody, "text/csv": z.string() },
      responses: { 200: { description: "A prediction for each row, in the same order.", schema: predictionSchema } },
      errors: [
        "ID_INVALID",
        "ARTIFACT_NOT_FOUND",
        "VALIDATION_FAILED",
        "PREDICTION_INPUT_INVALID",
        "PREDICTION_TOO_LARGE",
        "EXPLANATION_UNAVAILABLE",
        "TOO_MANY_PREDICTIONS",
        "TOO_MANY_ROWS",
        "WRONG_ENCODING",
        "JSON_INVALID",
        "UNSUPPORTED_MEDIA_TYPE",
        "BODY_TOO_LARGE",
        "FILE_MISSING_IN_STORAGE",
        "STORAGE_UNAVAILABLE",
      ],
      async handle({ owner, params, query, request, response }) {
        const startedMs = performance.now();
        const leaving = leavingOf(response);
        let task: Predicted["task"] = "unknown";
        try {
          const artifact = await existing(owner, params.id);
          task = artifact.task;
          const facts = { artifactId: artifact.id, task: artifact.task };
          const { bytes } = await withSpan("prediction", facts, async (span) => {
            const answer = await predictor.predict(
              {
                owner,
                task: artifact.task,
                mode: artifact.mode,
                classes: classesOf(artifact),
                columns: columnsOf(artifact),
                model: { id: artifact.id, sizeBytes: artifact.size_bytes, sha256: artifact.sha256 },
                isStrict: query.strict === "true",
                isExplained: query.explain === "true",
                body: await receiveRows(request, response),
              },
              leaving,
            );
            leaving.throwIfAborted();
            describeSpan(span, { predictedRows: answer.rows });
            predicted({
              task: artifact.task,
              outcome: "succeeded",
              rows: answer.rows,
              unknownValues: answer.unknownValues,
              durationSeconds: (performance.now() - startedMs) / 1000,
            });
            return answer;
          });
          response.type("application/json").send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        } catch (error) {
          const fault = leaving.aborted ? leaving.reason : error;
          predicted({ task, outcome: outcomeOf(fault) });
          throw fault;
        }
      },
    }),
  ];
}
