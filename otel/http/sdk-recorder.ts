import type { Counter, Histogram, Meter, UpDownCounter } from "@opentelemetry/api";
import { allowedAttributes } from "../api/catalogue/attribute-sets.ts";
import { catalogue, type MetricKey } from "../api/catalogue/catalogue.ts";
import { httpOutcomes } from "../api/catalogue/http.ts";
import { boundsOf, type MetricDefinition } from "../api/catalogue/metric-definition.ts";
import { errorTypeOf, type HttpRecorder, methodAttribute, outcomeOf, statusAttribute } from "../api/http-recorder.ts";
import { add, guarded, record } from "../api/instruments.ts";

/** How a value gets into an instrument of the catalogue. */
interface Instruments {
  readonly add: typeof add;
  readonly record: typeof record;
}

function recorderInto(instruments: Instruments): HttpRecorder {
  return {
    ended(request) {
      const base = { "http.request.method": methodAttribute(request.method), "url.scheme": request.scheme };
      const routed = { ...base, "http.route": request.route };
      guarded(() =>
        instruments.record("httpRequestDuration", request.durationSeconds, {
          ...routed,
          "http.response.status_code": statusAttribute(request.statusCode),
          "error.type": errorTypeOf(request),
        }),
      );
      guarded(() => instruments.record("httpRequestBodySize", request.requestBytes, routed));
      guarded(() => instruments.record("httpResponseBodySize", request.responseBytes, routed));
      guarded(() => instruments.add("httpRequests", 1, { "http.route": request.route, outcome: outcomeOf(request) }));
    },
    active(change, method, scheme) {
      const attributes = { "http.request.method": methodAttribute(method), "url.scheme": scheme };
      guarded(() => instruments.add("httpActiveRequests", change, attributes));
    },
    declare(routes) {
      for (const route of routes) {
        for (const outcome of httpOutcomes)
          guarded(() => instruments.add("httpRequests", 0, { "http.route": route, outcome }));
      }
    },
  };
}

/** The instruments of the SDK: the reference that `aggregation.ts` is held against. */
export const sdkHttpRecorder: HttpRecorder = recorderInto({ add, record });

/** Instruments of whatever meter is given, for who uses the instrumentation without this service's SDK. */
export function meterHttpRecorder(meter: Meter): HttpRecorder {
  const sums = new Map<MetricKey, UpDownCounter | Counter>();
  const histograms = new Map<MetricKey, Histogram>();
  return recorderInto({
    add(key, value, attributes) {
      const definition: MetricDefinition = catalogue[key];
      const { name, kind, unit, description } = definition;
      let sum = sums.get(key);
      if (sum === undefined) {
        const options = { unit, description };
        sum = kind === "counter" ? meter.createCounter(name, options) : meter.createUpDownCounter(name, options);
        sums.set(key, sum);
      }
      sum.add(value, allowedAttributes(definition, attributes));
    },
    record(key, value, attributes) {
      const definition: MetricDefinition = catalogue[key];
      const { name, unit, description } = definition;
      let histogram = histograms.get(key);
      if (histogram === undefined) {
        const explicitBucketBoundaries = [...boundsOf(definition)];
        histogram = meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries } });
        histograms.set(key, histogram);
      }
      histogram.record(value, allowedAttributes(definition, attributes));
    },
  });
}
