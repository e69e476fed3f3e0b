import { z } from "zod";
import { ClientClosedError, DomainError } from "../errors.ts";
import { answerPage, decodeCursor } from "../http/cursor.ts";
import { sendAnswer } from "../http/events.ts";
import { rewriteInTurns } from "../http/json-in-turns.ts";
import { jsonWith } from "../http/json-with.ts";
import { isCallersFault, toDomainError } from "../http/problem.ts";
import { type ApiRoute, defineRoute, idParams, pageOf, pageQuery } from "../http/route.ts";
import { fileErrors, fileResponses, sendFile } from "../http/send-file.ts";
import { readAway } from "../http/upload-stream.ts";
import type { Logger } from "../log.ts";
import { datasetUpload } from "../monitoring/metrics.ts";
import type { Store } from "../store/database.ts";
import {
  cycleSchema,
  datasetSchema,
  datasetWithProfile,
  keptHeaders,
  uploadedDataset,
  uploadForm,
} from "./answers/dataset-schemas.ts";
import { etagOf } from "./answers/etag.ts";
import { keptHeadersOf } from "./answers/kept-headers.ts";
import { understoodOf, understoodWithColumnsOf } from "./answers/understood.ts";
import { checkEvents, toldAsker } from "./checks/told-asker.ts";
import { correctRoute } from "./correction/correct-route.ts";
import { type Dataset, type DatasetSummary, dialectOf, listDatasets } from "./kept/dataset-repository.ts";
import { existingDataset, existingProfiledDataset } from "./kept/existing-dataset.ts";
import { expiresAt } from "./kept/ttl-policy.ts";
import { removeDataset } from "./removal/remove-dataset.ts";
import { runTtlCycle } from "./removal/ttl-cycle.ts";
import { rowsRoute } from "./rows/rows-route.ts";
import { inspectRoute } from "./upload/inspect-route.ts";
import { acceptDataset, type ReceivingParts } from "./upload/receive-upload.ts";
import { mediaTypes, uploadEncoding, uploadErrors } from "./upload/upload-call.ts";
import { openUploadDoor } from "./upload/upload-door.ts";

const tag = "Datasets";

/** What the calls under /datasets need. */
export interface DatasetParts extends ReceivingParts {
  readonly store: Pick<Store, "requireRoom">;
  readonly log: Logger;
}

/** The calls under /datasets. */
export function datasetRoutes(parts: DatasetParts): ApiRoute[] {
  const { db, storage, config } = parts;
  const door = openUploadDoor(parts);

  const toDataset = (row: DatasetSummary): z.input<typeof datasetSchema> => ({
    id: row.id,
    name: row.name,
    target: row.target,
    task: row.task,
    rows: row.row_count,
    columns: row.column_count,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    createdAt: row.created_at.toISOString(),
    expiresAt: expiresAt(row.created_at, config.datasetTtlDays)?.toISOString() ?? null,
    version: row.version,
    versionOf: row.version_of,
    understood: understoodOf(row),
  });

  const toWhole = (row: Dataset): z.input<typeof uploadedDataset> => ({
    ...toDataset(row),
    understood: understoodWithColumnsOf(row),
    warnings: row.warnings === null ? null : [...row.warnings.first],
    warningCount: row.warnings?.count ?? null,
    // Written as it is, whose lists nobody changes.
    said: row.said as z.input<typeof uploadedDataset>["said"],
  });

  return [
    defineRoute({
      method: "post",
      path: "/datasets/upload",
      operationId: "uploadDataset",
      tag,
      summary: "Upload a table",
      rawBody: { "multipart/form-data": uploadForm },
      formEncoding: uploadEncoding,
      responses: {
        201: { description: "Kept; Location and ETag name it.", schema: uploadedDataset, headers: keptHeaders },
        200: {
          description: "You sent this content with this name and target before.",
          schema: uploadedDataset,
          headers: keptHeaders,
        },
        202: checkEvents,
      },
      errors: uploadErrors,
      async handle({ owner, request, response }) {
        try {
          const { dataset, isNew } = await door.receive(owner, { request, response }, (received, signal) =>
            acceptDataset(parts, toldAsker({ owner, request, response }, signal), received),
          );
          datasetUpload({
            outcome: isNew ? "accepted" : "duplicate",
            sizeBytes: dataset.size_bytes,
            format: dialectOf(dataset).source.format,
            warnings: dataset.warnings?.first.map(({ code }) => code) ?? [],
          });
          sendAnswer(response, {
            status: isNew ? 201 : 200,
            headers: keptHeadersOf(request, dataset),
            body: toWhole(dataset),
          });
        } catch (error) {
          if (error instanceof ClientClosedError) {
            datasetUpload({ outcome: "aborted" });
            throw error;
          }
          const fault = toDomainError(error);
          datasetUpload(
            isCallersFault(fault.code) ? { outcome: "rejected", reason: fault.code } : { outcome: "failed" },
          );
          if (!request.complete) readAway(request);
          throw fault;
        }
      },
    }),
    inspectRoute(parts, door),
    defineRoute({
      method: "get",
      path: "/datasets",
      operationId: "listDatasets",
      tag,
      summary: "List datasets, newest first",
      query: pageQuery,
      responses: { 200: { description: "A page of datasets.", schema: pageOf(datasetSchema) } },
      errors: ["VALIDATION_FAILED", "CURSOR_INVALID"],
      async handle({ owner, query, response }) {
        const page = await listDatasets(db, owner, { limit: query.limit, before: decodeCursor(query.cursor) });
        response.json(answerPage(page, toDataset));
      },
    }),
    defineRoute({
      method: "delete",
      path: "/datasets/expired",
      operationId: "removeExpiredDatasets",
      tag,
      summary: "One TTL cycle now, over your own datasets",
      responses: { 200: { description: "What the cycle did.", schema: cycleSchema } },
      errors: [],
      async handle({ owner, response }) {
        response.json(await runTtlCycle(parts, owner));
      },
    }),
    defineRoute({
      method: "get",
      path: "/datasets/:id",
      operationId: "getDataset",
      tag,
      summary: "One dataset with its column profile",
      params: idParams,
      responses: {
        200: { description: "The dataset.", schema: datasetWithProfile },
        304: { description: "Unchanged." },
      },
      errors: ["ID_INVALID", "DATASET_NOT_FOUND"],
      async handle({ owner, params, response }) {
        const dataset = await existingProfiledDataset(db, owner, params.id);
        const { profile, profile_fault: profileFault, typed_bytes: typedBytes } = dataset;
        const profileJson = profile === null ? null : await rewriteInTurns(profile);
        response
          .setHeader("ETag", etagOf(dataset))
          .type("json")
          .send(jsonWith({ ...toWhole(dataset), typedBytes }, "profile", profileJson, { profileFault }));
      },
    }),
    defineRoute({
      method: "get",
      path: "/datasets/:id/content",
      operationId: "downloadDataset",
      tag,
      summary: "The file as it was sent, expanded",
      params: idParams,
      responses: {
        200: { description: "The file.", contentType: Object.values(mediaTypes), schema: z.string() },
        ...fileResponses,
      },
      errors: ["ID_INVALID", "DATASET_NOT_FOUND", ...fileErrors],
      async handle({ owner, params, request, response }) {
        const dataset = await existingDataset(db, owner, params.id);
        const { format, encoding } = dialectOf(dataset).source;
        await sendFile(request, response, {
          storage,
          kind: "dataset",
          id: dataset.id,
          sha256: dataset.sha256,
          contentType: format === "csv" ? `${mediaTypes.csv}; charset=${encoding}` : mediaTypes[format],
          fileName: `${dataset.name.replaceAll(/[^\w.-]+/g, "_")}.${format}`,
        });
      },
    }),
    rowsRoute(parts),
    correctRoute(parts, toWhole),
    defineRoute({
      method: "delete",
      path: "/datasets/:id",
      operationId: "deleteDataset",
      tag,
      summary: "Remove a dataset that no run uses",
      params: idParams,
      responses: { 204: { description: "Removed." } },
      errors: ["ID_INVALID", "DATASET_NOT_FOUND", "DATASET_IN_USE", "STORAGE_UNAVAILABLE"],
      async handle({ owner, params, response }) {
        await existingDataset(db, owner, params.id);
        const outcome = await removeDataset(parts, params.id);
        if (outcome === "in use") {
          throw new DomainError(
            "DATASET_IN_USE",
            "A training run still reads this dataset. Cancel it or wait until it ends.",
          );
        }
        response.status(204).end();
      },
    }),
  ];
}
