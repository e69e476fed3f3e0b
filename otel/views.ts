import { AggregationType, createAllowListAttributesProcessor, type ViewOptions } from "@opentelemetry/sdk-metrics";
import { attributeSetLimit, boundsOf, metricDefinitions, overflowAttribute } from "./catalogue.ts";
import { meterName } from "./instruments.ts";

/** The meter of the official runtime instrumentation: we keep its garbage collections only. */
export const runtimeMeterName = "@opentelemetry/instrumentation-runtime-node";

/**
 * One view for each metric of the catalogue: explicit bounds (the SDK's default bounds are for milliseconds whatever
 * the unit), the declared attributes only, and the series limit.
 */
export function metricViews(latencyBounds: readonly number[]): ViewOptions[] {
  const views: ViewOptions[] = [];
  for (const [key, definition] of metricDefinitions) {
    if (definition.source === "exposition") continue;
    views.push({
      instrumentName: definition.name,
      meterName: key === "gcDuration" ? runtimeMeterName : meterName,
      attributesProcessors: [
        createAllowListAttributesProcessor([...Object.keys(definition.attributes), overflowAttribute]),
      ],
      // One more: our own limit (otel/instruments.ts) acts first, and its overflow is a set like others here.
      aggregationCardinalityLimit: attributeSetLimit(definition) + 1,
      ...(definition.kind === "histogram" && {
        aggregation: {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: [...boundsOf(definition, latencyBounds)], recordMinMax: false },
        },
      }),
    });
  }
  // Not in the catalogue: an event-loop histogram that each reading empties, 13 heap spaces, resources.
  views.push({ meterName: runtimeMeterName, instrumentName: "*", aggregation: { type: AggregationType.DROP } });
  return views;
}
