import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { z } from "zod";
import { DomainError } from "../errors.ts";
import { type ApiRoute, defineRoute, idParams } from "../http/route.ts";
import type { ModelInput } from "../models/model-input.ts";
import type { Tables } from "../store/schema.ts";
import { findDescribedArtifact } from "./artifact-repository.ts";
import { existingArtifact } from "./existing-artifact.ts";
import { predictionJsonSchema, schemaParts } from "./prediction-json-schema.ts";

/** What a prediction may have, for who makes a form of it or checks rows before they are sent. */
export function schemaRoute(db: Kysely<Tables>): ApiRoute {
  return defineRoute({
    method: "get",
    path: "/artifacts/:id/schema",
    operationId: "readPredictionSchema",
    tag: "Artifacts",
    summary: "JSON Schema of the rows that a model predicts",
    params: idParams,
    query: z.object({
      of: z.enum(schemaParts).default("body").describe("The whole body of a prediction, or one row of it."),
    }),
    responses: {
      200: {
        description:
          "Draft 2020-12. Every row that it accepts is predicted; numbers as text, and columns that only some rows have, are taken beside. Values of categories are told as `examples`.",
        contentType: "application/schema+json",
        schema: z.record(z.string(), z.unknown()),
      },
    },
    errors: ["ID_INVALID", "VALIDATION_FAILED", "ARTIFACT_NOT_FOUND", "INPUT_NOT_DESCRIBED"],
    async handle({ owner, params, query, response }) {
      const { input, target } = await existingArtifact(findDescribedArtifact(db, owner, params.id));
      if (input === null)
        throw new DomainError(
          "INPUT_NOT_DESCRIBED",
          "The model is from before it was kept what it takes. `features` in its file (/content) says it; a new training is described.",
        );
      // Of 2,000 columns each of the three takes 5 ms: others have their turn of the event loop between them.
      await setImmediate();
      const parsed = JSON.parse(input) as ModelInput;
      await setImmediate();
      const schema = predictionJsonSchema(parsed, target, query.of);
      await setImmediate();
      response.type("application/schema+json").send(JSON.stringify(schema));
    },
  });
}
