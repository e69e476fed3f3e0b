import { createRequire } from "node:module";
import { dirname } from "node:path";
import express, { type Express, Router } from "express";
import { z } from "zod";
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from "zod-openapi";
import type { ErrorCode } from "../errors.ts";
import { errorCodes } from "../errors.ts";
import { statusOf } from "./problem.ts";
import { pathOf, relativeAddress } from "./relative-address.ts";
import { type ApiRoute, apiPrefix } from "./route.ts";

/** Where the document is, and the page that shows it. */
export const documentPath = "/api/openapi.json";
export const docsPath = "/api/docs";

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(errorCodes).describe("Stable: branch on this."),
    instance: z.string().describe("Names this very answer; quote it when you ask."),
    traceId: z
      .string()
      .optional()
      .describe("Of the request's trace, as in X-Trace-Id; only where the request is traced."),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem" });

/** What any call can answer, whatever it does. */
const everywhere: readonly ErrorCode[] = [
  "HOST_INVALID",
  "UNAUTHORIZED",
  "HOST_NOT_ALLOWED",
  "DATABASE_UNAVAILABLE",
  "NOT_READY",
  "INTERNAL_ERROR",
];

function responsesOf(route: ApiRoute): ZodOpenApiResponsesObject {
  const responses: Record<string, unknown> = {};
  for (const [status, { description, schema, contentType, binaryType, headers }] of Object.entries(route.responses)) {
    responses[status] = {
      description,
      ...(headers && { headers }),
      ...(schema === undefined
        ? {}
        : {
            content: {
              ...Object.fromEntries([contentType ?? "application/json"].flat().map((type) => [type, { schema }])),
              // Bytes have no schema in OpenAPI 3.1.
              ...(binaryType !== undefined && { [binaryType]: {} }),
            },
          }),
    };
  }
  const codesByStatus = Map.groupBy(new Set<ErrorCode>([...route.errors, ...everywhere]), (code) => statusOf[code]);
  for (const [status, codes] of codesByStatus) {
    responses[status] ??= {
      description: codes.join(", "),
      content: { "application/problem+json": { schema: problemSchema } },
    };
  }
  return responses as ZodOpenApiResponsesObject;
}

function operationOf(route: ApiRoute): ZodOpenApiOperationObject {
  const content = route.body === undefined ? route.rawBody : { "application/json": route.body };
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    // A key that is there but undefined ends createDocument.
    requestParams: {
      ...(route.params && { path: route.params }),
      ...(route.query && { query: route.query }),
      ...(route.headers && { header: route.headers }),
    },
    ...(content === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: Object.fromEntries(
              Object.entries(content).map(([type, schema]) => [
                type,
                { schema, ...(type === "multipart/form-data" && { encoding: route.formEncoding }) },
              ]),
            ),
          },
        }),
    responses: responsesOf(route),
  } as ZodOpenApiOperationObject;
}

/** The OpenAPI 3.1 document of these routes, made from the schemas that check the requests. */
export function openApiDocument(routes: readonly ApiRoute[], version: string): ReturnType<typeof createDocument> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const path = `${apiPrefix}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "mlops-backend",
      version,
      description:
        "Upload CSV datasets, train models on them in the background, download the models and predict with them.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    // As seen from the document: also behind a prefix that only a proxy knows.
    servers: [{ url: relativeAddress(documentPath, "/") }],
    security: [{ apiKey: [] }, {}],
    paths: paths as ZodOpenApiPathsObject,
    components: { securitySchemes: { apiKey: { type: "http", scheme: "bearer" } } },
  });
}

// Its own address leads to the document: what stands in the page is seen from there, and with or without a last slash.
const initializer = `const url = new URL("${relativeAddress(`${docsPath}/initializer.js`, documentPath)}", document.currentScript.src).href;
window.onload = () => {
  window.ui = SwaggerUIBundle({ url, dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
};
`;

function pageAsSeenFrom(path: string): string {
  const file = (name: string): string => relativeAddress(path, `${docsPath}/${name}`);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>mlops-backend API</title>
    <link rel="stylesheet" href="${file("swagger-ui.css")}">
    <link rel="icon" href="${file("favicon-32x32.png")}">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="${file("swagger-ui-bundle.js")}"></script>
    <script src="${file("initializer.js")}"></script>
  </body>
</html>
`;
}

/** Mounts /api/openapi.json and Swagger UI at /api/docs, from local files: it opens without the internet. */
export function mountDocs(app: Express, routes: readonly ApiRoute[], version: string): void {
  const document = JSON.stringify(openApiDocument(routes, version));
  // The folder, not the package: its entry imports a module that reports its installation.
  const assets = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  app.get(documentPath, (_request, response) => void response.type("application/json").send(document));
  app.get(docsPath, (request, response) => void response.type("html").send(pageAsSeenFrom(pathOf(request))));
  app.get(`${docsPath}/initializer.js`, (_request, response) => void response.type("js").send(initializer));
  // By a route, for its template: what a mounted handler answers has none, and would be counted like a path without one.
  const files = Router({ caseSensitive: true });
  files.get("/:file", express.static(assets, { index: false, fallthrough: true, maxAge: "1h" }));
  app.use(docsPath, files);
}
