import { catalogue, metricDefinitions } from "../../otel/api/catalogue/catalogue.ts";
import { familyName, labelName } from "../../otel/api/catalogue/metric-names.ts";
import type { ReceivedMetric } from "./otlp-metrics.ts";
import { type ParsedFamily, parseExposition } from "./parse-exposition.ts";

/** Value by series, written as name{label="value",…}: the same whichever way it came. */
export type Series = ReadonlyMap<string, number>;

function keyOf(name: string, labels: readonly (readonly [string, string])[]): string {
  const pairs = labels.filter(([, value]) => value !== "").map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${pairs.toSorted().join(",")}}`;
}

const definitionOf = new Map(metricDefinitions.map(([, definition]) => [definition.name, definition]));
const milliseconds = (seconds: number): number => Math.floor(seconds * 1000 + 0.001);

/** What Prometheus would have of an export, by the names of /metrics; with when each series began, in milliseconds. */
export function seriesOfExport(metrics: readonly ReceivedMetric[]): Series {
  const series = new Map<string, number>();
  const set = (name: string, labels: [string, string][], value: number): void => {
    const key = keyOf(name, labels);
    if (series.has(key)) throw new Error(`${key} came twice`);
    series.set(key, value);
  };
  for (const { name, type, points } of metrics) {
    const definition = definitionOf.get(name);
    if (definition === undefined) throw new Error(`${name} is not in the catalogue`);
    const family = familyName(definition);
    for (const point of points) {
      const labels = Object.entries(point.attributes).map(([key, value]): [string, string] => [
        labelName(key),
        String(value),
      ]);
      const isCounted = type === "counter" || type === "histogram";
      if (isCounted) set(`${family}_created`, labels, milliseconds(point.startSeconds));
      if ("value" in point) set(type === "counter" ? `${family}_total` : family, labels, point.value);
      else {
        let cumulative = 0;
        for (const [index, count] of point.counts.entries()) {
          cumulative += count;
          set(`${family}_bucket`, [...labels, ["le", String(point.bounds[index] ?? "+Inf")]], cumulative);
        }
        set(`${family}_count`, labels, point.count);
        set(`${family}_sum`, labels, point.sum);
      }
    }
  }
  return series;
}

/** The same of an OpenMetrics exposition, without target_info. */
export function seriesOfExposition(text: string): Series {
  const series = new Map<string, number>();
  for (const { name: family, samples } of parseExposition(Buffer.from(text), "openmetrics")) {
    if (family === "target") continue;
    for (const { name, labels, value } of samples) {
      const pairs = [...labels].map(([label, text]): [string, string] => [
        label,
        label === "le" && text !== "+Inf" ? String(Number(text)) : text,
      ]);
      series.set(keyOf(name, pairs), name.endsWith("_created") ? milliseconds(value) : value);
    }
  }
  return series;
}

/** What the exposition says of its families: type, unit and help, by name. */
export function familiesOfExposition(text: string): Map<string, Pick<ParsedFamily, "type" | "help">> {
  const families = parseExposition(Buffer.from(text), "openmetrics").filter(({ name }) => name !== "target");
  return new Map(families.map(({ name, type, help }) => [name, { type, help }]));
}

/** The same of an export; an upDownCounter is a gauge there. */
export function familiesOfExport(metrics: readonly ReceivedMetric[]): Map<string, Pick<ParsedFamily, "type" | "help">> {
  return new Map(
    metrics.map(({ name, type, description }) => [
      familyName(definitionOf.get(name) ?? catalogue.buildInfo),
      { type: type === "upDownCounter" ? "gauge" : type, help: description },
    ]),
  );
}

/** Figures that are others at each reading: of the process, of the reading itself, and of what reads the database for it. */
export function isSteady(key: string): boolean {
  return !/^(process_|nodejs_|v8js_|db_client_|mlops_backend_(metrics_(series\{metric="other"|collection)|storage_filesystem_available|training_queue_oldest|dataset_ttl_lag))/.test(
    key,
  );
}
