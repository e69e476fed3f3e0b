import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import type { Kysely } from "kysely";
import { z } from "zod";
import { DomainError, isSystemError } from "../errors.ts";
import { leavingOf } from "../http/leaving.ts";
import { type ApiRoute, defineRoute, idParams } from "../http/route.ts";
import { fileErrors, fileResponses, isKnown, sendFile, sendStream } from "../http/send-file.ts";
import { answerFailed } from "../monitoring/metrics.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import type { Tables } from "../store/schema.ts";
import { type Artifact, findArtifact } from "./artifact-repository.ts";
import { readBareModel } from "./bare-model.ts";
import { existingArtifact } from "./existing-artifact.ts";
import { onnxExportVersion } from "./onnx/to-onnx.ts";
import type { Predictor } from "./predictor.ts";

// No type is registered for ONNX.
const onnxType = "application/octet-stream";

/** What sending a model's content needs. */
interface ContentParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly predictor: Pick<Predictor, "exportOnnx">;
}

/** A model to take along: its whole file, the XGBoost model alone, or all of it as ONNX. */
export function contentRoute({ db, storage, predictor }: ContentParts): ApiRoute {
  return defineRoute({
    method: "get",
    path: "/artifacts/:id/content",
    operationId: "downloadArtifact",
    tag: "Artifacts",
    summary:
      "The model's file: schema, task, classes, metrics and the model in XGBoost's JSON format; or the model as ONNX",
    params: idParams,
    query: z.object({
      format: z
        .enum(["document", "xgboost", "onnx"])
        .default("document")
        .describe(
          "xgboost: the XGBoost model alone, with names of its features, for `Booster.load_model`. onnx: all of it as an ONNX file, which takes columns as the table has them. Both are sent whole, without ranges, and never by another address.",
        ),
    }),
    responses: {
      200: { description: "The file.", schema: z.record(z.string(), z.unknown()), binaryType: onnxType },
      ...fileResponses,
    },
    errors: [
      "ID_INVALID",
      "VALIDATION_FAILED",
      "ARTIFACT_NOT_FOUND",
      "EXPORT_UNAVAILABLE",
      "TOO_MANY_PREDICTIONS",
      ...fileErrors,
    ],
    async handle({ owner, params, query, request, response }) {
      const artifact = await existingArtifact(findArtifact(db, owner, params.id));
      if (query.format === "xgboost") return sendBareModel(request, response, storage, artifact);
      if (query.format === "onnx") return sendOnnx(request, response, { storage, predictor }, artifact);
      await sendFile(request, response, {
        storage,
        kind: "artifact",
        id: artifact.id,
        sha256: artifact.sha256,
        contentType: "application/json",
        fileName: `${artifact.id}.json`,
      });
    },
  });
}

async function sendOnnx(
  request: Request,
  response: Response,
  { storage, predictor }: Pick<ContentParts, "storage" | "predictor">,
  { id, owner, sha256, size_bytes: sizeBytes }: Artifact,
): Promise<void> {
  const etag = `"${sha256}-onnx-${onnxExportVersion}"`;
  response.setHeader("ETag", etag);
  response.setHeader("Cache-Control", "private, no-cache");
  if (isKnown(request, etag)) {
    response.status(304).end();
    return;
  }
  // On disk: those who fetch it slowly must not hold it in memory.
  const path = storage.temporaryPath(randomUUID());
  try {
    await predictor.exportOnnx({ owner, model: { id, sizeBytes, sha256 }, path }, leavingOf(response));
    response.attachment(`${id}.onnx`);
    response.setHeader("Content-Type", onnxType);
    response.setHeader("Content-Length", (await stat(path)).size);
    if (request.method === "HEAD") response.end();
    else await sendStream(request, response, createReadStream(path));
  } finally {
    await storage.discard(path);
  }
}

async function sendBareModel(
  request: Request,
  response: Response,
  storage: FileStorage,
  { id, sha256 }: Artifact,
): Promise<void> {
  const sizeBytes = await storage.sizeOf("artifact", id);
  const etag = `"${sha256}-xgboost"`;
  response.setHeader("ETag", etag);
  response.setHeader("Cache-Control", "private, no-cache");
  if (isKnown(request, etag)) {
    response.status(304).end();
    return;
  }
  const file = await storage.open("artifact", id, { start: 0, end: sizeBytes - 2 });
  try {
    const { head, replacedBytes, rest } = await readBareModel(file);
    response.attachment(`${id}.xgboost.json`);
    response.setHeader("Content-Type", "application/json");
    response.setHeader("Content-Length", sizeBytes - 1 - replacedBytes + head.length);
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    const named = async function* () {
      yield head;
      try {
        yield* rest;
      } catch (error) {
        // Before `pipeline` hears of it, which breaks the answer off: later nobody could tell that it was not the client.
        answerFailed(request, 0);
        throw error;
      }
    };
    await pipeline(named, response);
  } catch (error) {
    // The client went away: nobody is left to answer.
    if (isSystemError(error, "ERR_STREAM_PREMATURE_CLOSE")) return;
    if (error instanceof DomainError) throw error;
    throw new DomainError("INTERNAL_ERROR", "The file could not be read to its end.", { cause: error });
  } finally {
    file.destroy();
  }
}
