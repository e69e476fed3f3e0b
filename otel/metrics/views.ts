import {
  AggregationType,
  type IAttributesProcessor,
  type ResourceMetrics,
  type ViewOptions,
} from "@opentelemetry/sdk-metrics";
import { allowedAttributes, attributeSetLimit } from "../api/catalogue/attribute-sets.ts";
import { type MetricKey, metricDefinitions } from "../api/catalogue/catalogue.ts";
import { boundsOf, type MetricDefinition, overflowAttribute } from "../api/catalogue/metric-definition.ts";
import { meterName } from "../api/instruments.ts";

/** The meter of the official runtime instrumentation: we keep its garbage collections only. */
export const runtimeMeterName = "@opentelemetry/instrumentation-runtime-node";

const meterOf = (key: MetricKey): string => (key === "gcDuration" ? runtimeMeterName : meterName);

/** Also of what is read at scrape: an undeclared attribute is left out, a value outside its closed set becomes `other`. */
const guardOf = (definition: MetricDefinition): IAttributesProcessor => ({
  process: (given) =>
    given[overflowAttribute] === true
      ? { [overflowAttribute]: true }
      : allowedAttributes(definition, given as Record<string, string>),
});

/**
 * One view for each metric of the catalogue: explicit bounds (the SDK's default bounds are for milliseconds whatever
 * the unit), the declared attributes and values only, and the series limit.
 */
export function metricViews(latencyBounds: readonly number[]): ViewOptions[] {
  const views: ViewOptions[] = [];
  for (const [key, definition] of metricDefinitions) {
    if (definition.source === "exposition") continue;
    views.push({
      instrumentName: definition.name,
      meterName: meterOf(key),
      attributesProcessors: [guardOf(definition)],
      // One more: our own limit (otel/api/instruments.ts) acts first, and its overflow is a set like others here.
      aggregationCardinalityLimit: attributeSetLimit(definition) + 1,
      ...(definition.kind === "histogram" && {
        aggregation: {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: [...boundsOf(definition, latencyBounds)], recordMinMax: false },
        },
      }),
    });
  }
  return views;
}

const declared: ReadonlySet<string> = new Set(
  metricDefinitions.map(([key, definition]) => `${meterOf(key)} ${definition.name}`),
);

/**
 * What was collected without what the catalogue does not declare: a stranger's instrument, and of the official runtime
 * instrumentation an event-loop histogram that each reading empties, 13 heap spaces and resources. No view does that:
 * one for `*` that drops shares the storage of a declared instrument, which then counts twice (sdk-metrics 3.1.1).
 */
export function onlyDeclared(metrics: ResourceMetrics): ResourceMetrics {
  const scopeMetrics = metrics.scopeMetrics.map(({ scope, metrics: ofScope }) => ({
    scope,
    metrics: ofScope.filter(({ descriptor }) => declared.has(`${scope.name} ${descriptor.name}`)),
  }));
  return { ...metrics, scopeMetrics };
}
