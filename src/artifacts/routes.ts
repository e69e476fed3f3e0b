import express, { type Request, type Response } from "express";
import { z } from "zod";
import { DomainError } from "../errors.ts";
import { decodeCursor, toPage } from "../http/cursor.ts";
import { statusOf, toDomainError } from "../http/problem.ts";
import { type ApiRoute, defineRoute, idParams, pageOf, pageQuery } from "../http/route.ts";
import { fileErrors, fileResponses, sendFile } from "../http/send-file.ts";
import { predicted } from "../monitoring/metrics.ts";
import { withSpan } from "../monitoring/spans.ts";
import { type Artifact, findArtifact, listArtifacts, setPinned } from "./artifact-repository.ts";
import { csvToRecords } from "./parse-csv-rows.ts";
import { createModelReader, predict } from "./predict.ts";
import { type RemovalParts, removeArtifact } from "./retention.ts";

const tag = "Artifacts";
const maxPredictionRows = 1_000;
const bodyLimitBytes = 4 * 1024 * 1024;

const artifactSchema = z
  .object({
    id: z.uuid(),
    runId: z.uuid(),
    datasetId: z.uuid(),
    mode: z.enum(["light", "heavy"]),
    task: z.enum(["classification", "regression"]),
    target: z.string(),
    metrics: z.record(z.string(), z.unknown()),
    sizeBytes: z.int(),
    sha256: z.string(),
    pinned: z.boolean(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Artifact" });

/** For the document; `readRows` checks by hand, since zod copies records and loses a column called `__proto__`. */
const rowsBody = z.object({ rows: z.array(z.record(z.string(), z.unknown())).min(1).max(maxPredictionRows) }).strict();

const predictionSchema = z
  .object({
    artifactId: z.uuid(),
    task: z.enum(["classification", "regression"]),
    predictions: z.array(
      z.object({
        prediction: z.union([z.number(), z.string()]),
        probabilities: z.record(z.string(), z.number()).optional(),
      }),
    ),
  })
  .meta({ id: "Predictions" });

function toArtifact(row: Artifact): z.input<typeof artifactSchema> {
  return {
    id: row.id,
    runId: row.run_id,
    datasetId: row.dataset_id,
    mode: row.mode,
    task: row.task,
    target: row.target,
    metrics: row.metrics,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    pinned: row.pinned,
    createdAt: row.created_at.toISOString(),
  };
}

const parseJson = express.json({ limit: bodyLimitBytes });
const parseText = express.text({ type: "text/csv", limit: bodyLimitBytes });

/** Reads the rows of a prediction, as JSON or as CSV. */
async function readRows(request: Request, response: Response): Promise<Record<string, unknown>[]> {
  const isCsv = request.is("text/csv") !== false && request.is("text/csv") !== null;
  if (!isCsv && !request.is("application/json")) {
    throw new DomainError(
      "UNSUPPORTED_MEDIA_TYPE",
      'Send {"rows": [{column: value}]} as application/json, or a CSV as text/csv.',
    );
  }
  const parser = isCsv ? parseText : parseJson;
  await new Promise<void>((resolve, reject) =>
    parser(request, response, (error?: unknown) => (error ? reject(error) : resolve())),
  );
  return isCsv ? csvToRecords(String(request.body ?? ""), maxPredictionRows) : rowsOf(request.body);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The rows of a JSON body; their number is checked first, since looking at each of a million would hold up others. */
function rowsOf(body: unknown): Record<string, unknown>[] {
  const fault = (path: string, message: string): DomainError =>
    new DomainError("VALIDATION_FAILED", "The body is not what this call takes; see errors.", {
      fields: [{ path, message }],
    });
  if (!isRecord(body) || !Array.isArray(body.rows)) throw fault("rows", "must be a list of objects, a row each");
  const other = Object.keys(body).find((key) => key !== "rows");
  if (other !== undefined) throw fault(other.slice(0, 80), "is not known here");
  const rows: unknown[] = body.rows;
  if (rows.length === 0) throw fault("rows", "must have at least one row");
  if (rows.length > maxPredictionRows) {
    throw new DomainError(
      "TOO_MANY_ROWS",
      `${rows.length} rows are too many: send up to ${maxPredictionRows} at once.`,
    );
  }
  return rows.map((row, index) => {
    if (!isRecord(row)) throw fault(`rows.${index}`, "must be an object of column and value");
    return row;
  });
}

/** The calls under /artifacts: models to look at, download, keep, remove, and predict with. */
export function artifactRoutes(parts: RemovalParts): ApiRoute[] {
  const { db, storage } = parts;
  const readModel = createModelReader(storage);

  async function existing(owner: string, id: string): Promise<Artifact> {
    const artifact = await findArtifact(db, owner, id);
    if (artifact === undefined)
      throw new DomainError("ARTIFACT_NOT_FOUND", "There is no such artifact. GET /artifacts lists yours.");
    return artifact;
  }

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
        const rows = await listArtifacts(db, owner, { ...query, before: decodeCursor(query.cursor) });
        const { items, nextCursor } = toPage(rows, query.limit);
        response.json({ items: items.map(toArtifact), nextCursor });
      },
    }),
    defineRoute({
      method: "get",
      path: "/artifacts/:id",
      operationId: "getArtifact",
      tag,
      summary: "One model",
      params: idParams,
      responses: { 200: { description: "The model.", schema: artifactSchema } },
      errors: ["ID_INVALID", "ARTIFACT_NOT_FOUND"],
      async handle({ owner, params, response }) {
        response.json(toArtifact(await existing(owner, params.id)));
      },
    }),
    defineRoute({
      method: "get",
      path: "/artifacts/:id/content",
      operationId: "downloadArtifact",
      tag,
      summary: "The model's file: schema, task, classes, metrics and the model in XGBoost's JSON format",
      params: idParams,
      responses: {
        200: { description: "The file.", schema: z.record(z.string(), z.unknown()) },
        ...fileResponses,
      },
      errors: ["ID_INVALID", "ARTIFACT_NOT_FOUND", ...fileErrors],
      async handle({ owner, params, request, response }) {
        const artifact = await existing(owner, params.id);
        await sendFile(request, response, {
          storage,
          kind: "artifact",
          id: artifact.id,
          sha256: artifact.sha256,
          contentType: "application/json",
          fileName: `${artifact.id}.json`,
        });
      },
    }),
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
      responses: { 200: { description: "The model as it is now.", schema: artifactSchema } },
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
        response.json(toArtifact(updated));
      },
    }),
    defineRoute({
      method: "post",
      path: "/artifacts/:id/predictions",
      operationId: "predict",
      tag,
      summary: "Predict up to 1,000 rows",
      params: idParams,
      rawBody: { "application/json": rowsBody, "text/csv": z.string() },
      responses: { 200: { description: "A prediction for each row, in the same order.", schema: predictionSchema } },
      errors: [
        "ID_INVALID",
        "ARTIFACT_NOT_FOUND",
        "VALIDATION_FAILED",
        "PREDICTION_INPUT_INVALID",
        "TOO_MANY_ROWS",
        "JSON_INVALID",
        "UNSUPPORTED_MEDIA_TYPE",
        "BODY_TOO_LARGE",
        "FILE_MISSING_IN_STORAGE",
        "STORAGE_UNAVAILABLE",
      ],
      async handle({ owner, params, request, response }) {
        const startedMs = performance.now();
        const artifact = await existing(owner, params.id);
        const { task } = artifact;
        const record = (outcome: "succeeded" | "rejected" | "failed", rows: number): void =>
          predicted({ task, outcome, rows, durationSeconds: (performance.now() - startedMs) / 1000 });
        try {
          const rows = await readRows(request, response);
          const facts = { artifactId: artifact.id, task, predictedRows: rows.length };
          const predictions = await withSpan("prediction", facts, async () => {
            const made = predict(
              await readModel({ id: artifact.id, sizeBytes: artifact.size_bytes, sha256: artifact.sha256 }),
              rows,
            );
            record("succeeded", rows.length);
            return made;
          });
          response.json({ artifactId: artifact.id, task, predictions });
        } catch (error) {
          record(statusOf[toDomainError(error).code] >= 500 ? "failed" : "rejected", 0);
          throw error;
        }
      },
    }),
  ];
}
