import { attributesOf, type Json, type Value } from "./otlp-values.ts";

/** Of opentelemetry-proto 1.x (metrics/v1), as far as tests look; Resource, Scope and KeyValue stand elsewhere. */
export const metricsDefinition = `
message ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message Metric {
  string name = 1; string description = 2; string unit = 3;
  oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; }
}
message Gauge { repeated NumberDataPoint data_points = 1; }
message Sum { repeated NumberDataPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramDataPoint data_points = 1; int32 aggregation_temporality = 2; }
message NumberDataPoint {
  fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; oneof value { double as_double = 4; sfixed64 as_int = 6; }
  repeated KeyValue attributes = 7;
}
message HistogramDataPoint {
  fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5;
  repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated KeyValue attributes = 9;
}
`;

interface Times {
  readonly attributes: Record<string, Value>;
  /** Seconds of Unix time, to the millisecond. */
  readonly startSeconds: number;
  readonly timeSeconds: number;
}
interface NumberPoint extends Times {
  readonly value: number;
}
interface HistogramPoint extends Times {
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
  /** One more than bounds, each for itself. */
  readonly counts: readonly number[];
}

/** A metric as it arrived. */
export interface ReceivedMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly type: "counter" | "upDownCounter" | "gauge" | "histogram";
  /** 2 is cumulative; undefined for a gauge, which has none. */
  readonly temporality: number | undefined;
  readonly points: readonly (NumberPoint | HistogramPoint)[];
  readonly scope: string;
  readonly resource: Record<string, Value>;
}

const secondsOf = (nanos: string | undefined): number => Number(BigInt(nanos ?? 0) / 1_000_000n) / 1000;

function pointOf(point: Json): NumberPoint | HistogramPoint {
  const times = {
    attributes: attributesOf(point.attributes),
    startSeconds: secondsOf(point.startTimeUnixNano),
    timeSeconds: secondsOf(point.timeUnixNano),
  };
  if (point.bucketCounts === undefined) return { ...times, value: Number(point.asDouble ?? point.asInt) };
  const counts = point.bucketCounts.map(Number);
  return { ...times, count: Number(point.count ?? 0), sum: point.sum ?? 0, bounds: point.explicitBounds ?? [], counts };
}

function typeOf({ gauge, sum, histogram }: Json): ReceivedMetric["type"] {
  if (gauge !== undefined) return "gauge";
  if (histogram !== undefined) return "histogram";
  return sum.isMonotonic === true ? "counter" : "upDownCounter";
}

/** The metrics of one export. */
export function metricsOf(request: Json): ReceivedMetric[] {
  return (request.resourceMetrics ?? []).flatMap((ofResource: Json) =>
    (ofResource.scopeMetrics ?? []).flatMap((ofScope: Json) =>
      (ofScope.metrics ?? []).map((metric: Json): ReceivedMetric => {
        const data = metric.gauge ?? metric.sum ?? metric.histogram;
        return {
          name: metric.name,
          description: metric.description ?? "",
          unit: metric.unit ?? "",
          type: typeOf(metric),
          temporality: data.aggregationTemporality,
          points: (data.dataPoints ?? []).map(pointOf),
          scope: ofScope.scope?.name ?? "",
          resource: attributesOf(ofResource.resource?.attributes),
        };
      }),
    ),
  );
}
