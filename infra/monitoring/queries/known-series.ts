import { metricDefinitions } from "../../../otel/api/catalogue/catalogue.ts";
import {
  type AttributeValues,
  boundsOf,
  fromBoundedSource,
  type MetricDefinition,
} from "../../../otel/api/catalogue/metric-definition.ts";
import { isCounter, labelName, prometheusName } from "../../../otel/api/catalogue/metric-names.ts";
import { causesOf, knownCauseSeries } from "../rules/known-causes.ts";
import type { KnownSeries } from "./lint-promql.ts";
import { prometheusSeries } from "./prometheus-series.ts";
import { recordedSeries } from "./recorded-series.ts";

/** As Prometheus 3 writes a bound: whole numbers with `.0`. */
const leValue = (bound: number): string => (Number.isInteger(bound) ? bound.toFixed(1) : String(bound));

function labelsOf(definition: MetricDefinition): Map<string, readonly string[] | undefined> {
  const valuesOf = (values: AttributeValues): readonly string[] | undefined =>
    values === fromBoundedSource ? undefined : [...values, "other"];
  return new Map(
    Object.entries(definition.attributes).map(([attribute, values]) => [labelName(attribute), valuesOf(values)]),
  );
}

function ofCatalogue(prefix: string, latencyBounds?: readonly number[]): [string, KnownSeries][] {
  return metricDefinitions.flatMap(([, definition]): [string, KnownSeries][] => {
    const name = prometheusName(definition, prefix);
    const labels = labelsOf(definition);
    if (definition.kind !== "histogram") {
      const kind = isCounter(definition.kind) ? "counter" : "gauge";
      return [[name, { kind, labels, isOfDeployment: definition.scope === "deployment" }]];
    }
    const bounds = [...boundsOf(definition, latencyBounds).map(leValue), "+Inf"];
    return [
      [`${name}_bucket`, { kind: "buckets", labels: new Map(labels).set("le", bounds) }],
      [`${name}_sum`, { kind: "counter", labels }],
      [`${name}_count`, { kind: "counter", labels }],
    ];
  });
}

const knownCauseLabels = new Map<string, readonly string[]>([
  ["effect", Object.keys(causesOf)],
  ["by", ["cause", "burn"]],
]);

/**
 * Every series that a dashboard or rule may ask for, by name: those of the catalogue under this prefix, those that the
 * recording rules write, and Prometheus' own.
 */
export function knownSeries(prefix: string, latencyBounds?: readonly number[]): ReadonlyMap<string, KnownSeries> {
  return new Map([
    ...ofCatalogue(prefix, latencyBounds),
    ...Object.entries(recordedSeries),
    [knownCauseSeries, { kind: "gauge", labels: knownCauseLabels, aggregated: true }],
    ...Object.entries(prometheusSeries),
  ]);
}
