import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { KnownLines } from "../../infra/monitoring/queries/lint-logql.ts";
import type { KnownSpans } from "../../infra/monitoring/queries/lint-traceql.ts";
import { spanNames } from "../../otel/api/span-attributes.ts";
import { allowedResource } from "../../otel/settings/resource.ts";
import { allowedKeys } from "../../otel/traces/span-guard.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
/** As Loki writes an attribute's name. */
const asLabel = (name: string): string => name.replaceAll(/\W/g, "_");

/** Fields of the objects that are handed to the log anywhere in the service. */
export const writtenFields = globSync("src/**/*.ts", { cwd: root }).flatMap((path) =>
  [...read(path).matchAll(/\blog\.(?:info|warn|error)\(\s*\{([^"]*)\}/g)].flatMap(([, object = ""]) =>
    [...object.matchAll(/(?:^|[{,])\s*(\w+)(?=\s*[:,}]|\s*$)/g)].map(([, field = ""]) => field),
  ),
);
/** What of a line goes with it as an attribute under another name. */
const exported = [...read("otel/export/log-export.ts").matchAll(/attributes\["(exception\.\w+)"\]/g)].map(
  ([, name = ""]) => name,
);
const { attributes } = parse(read("infra/monitoring/loki/loki.yml")).limits_config.otlp_config.resource_attributes
  .attributes_config[0];
/** Beside every line that comes by OTLP, says Loki's documentation. */
const ofLoki = ["detected_level", "severity_text", "severity_number", "trace_id", "span_id", "scope_name"];

/** What a query may assume of the lines that the service sends to the stack's Loki. */
export const knownLines: KnownLines = {
  labels: new Set<string>(attributes.map(asLabel)),
  fields: new Set([...writtenFields, ...[...exported, ...allowedResource].map(asLabel), ...ofLoki]),
};
/** What a query may assume of the spans that leave the service. */
export const knownSpans: KnownSpans = {
  attributes: allowedKeys,
  resource: new Set(allowedResource),
  names: new Set<string>(spanNames),
};
