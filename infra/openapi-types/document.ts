import { createHash } from "node:crypto";
import { artifactRoutes } from "../../src/artifacts/routes.ts";
import { datasetRoutes } from "../../src/datasets/routes.ts";
import { openApiDocument } from "../../src/http/openapi.ts";
import { readConfig } from "../../src/settings/config.ts";
import { trainingRoutes } from "../../src/training/routes.ts";

/** The service's OpenAPI document without a service: routes are described before anything asks for their parts. */
export function describedApi(): object {
  const noParts = { config: readConfig({}), store: {} } as never;
  const routes = [...datasetRoutes(noParts), ...trainingRoutes(noParts), ...artifactRoutes(noParts)];
  return openApiDocument(routes, "0");
}

/** By which a file that was made from the document can be told from one that was made from another. */
export function hashOf(document: object): string {
  return createHash("sha256").update(JSON.stringify(document)).digest("hex");
}
