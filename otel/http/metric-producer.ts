import type { Resource } from "@opentelemetry/resources";
import type { MetricProducer } from "@opentelemetry/sdk-metrics";
import { meterName } from "../api/instruments.ts";
import type { HttpAggregation } from "./aggregation.ts";

/**
 * The requests that were counted in place, for a reader of the SDK (metrics SDK specification, «MetricProducer»): it
 * collects them together with what its provider has.
 */
export function httpProducer(http: HttpAggregation, resource: Resource): MetricProducer {
  return {
    collect: () =>
      Promise.resolve({
        resourceMetrics: { resource, scopeMetrics: [{ scope: { name: meterName }, metrics: http.collect() }] },
        errors: [],
      }),
  };
}
