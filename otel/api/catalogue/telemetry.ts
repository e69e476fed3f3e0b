import { fromBoundedSource, type MetricDefinition } from "./metric-definition.ts";

export const telemetrySignals = ["traces", "logs", "metrics"] as const;
export type Signal = (typeof telemetrySignals)[number];

/** 0.01: what no scrape may block. */
const collectionBounds = [0.01, 0.05, 0.5] as const;

/** Telemetry itself: whether it can be believed, what it costs, and which build says it. */
export const telemetryMetrics = {
  stateReadable: {
    name: "mlops.backend.state.readable",
    kind: "gauge",
    unit: "",
    description: "1 when the deployment's state could be read for this scrape; at 0 the deployment gauges are absent.",
    attributes: {},
    scope: "process",
    fromStart: false,
  },
  metricsSeries: {
    name: "mlops.backend.metrics.series",
    kind: "gauge",
    unit: "{series}",
    description:
      "Series in this exposition, creation times aside, of each metric that can grow; all others together as other.",
    attributes: { metric: fromBoundedSource },
    scope: "process",
    fromStart: false,
    seriesLimit: 9,
    source: "exposition",
  },
  metricsDropped: {
    name: "mlops.backend.metrics.dropped",
    kind: "observableCounter",
    unit: "{measurement}",
    description: "Measurements that went into otel_metric_overflow since their metric had reached its series limit.",
    attributes: { metric: fromBoundedSource },
    scope: "process",
    fromStart: false,
    seriesLimit: 9,
    source: "exposition",
  },
  metricsCollectionDuration: {
    name: "mlops.backend.metrics.collection.duration",
    kind: "histogram",
    unit: "s",
    description: "Time to collect and write earlier answers of /metrics.",
    attributes: {},
    bounds: collectionBounds,
    scope: "process",
    fromStart: true,
  },
  telemetryExportDropped: {
    name: "mlops.backend.telemetry.export.dropped",
    kind: "counter",
    unit: "{item}",
    description: "Spans, log records and data points of metrics that could not be exported.",
    attributes: { signal: telemetrySignals },
    scope: "process",
    fromStart: true,
  },
  buildInfo: {
    name: "mlops.backend.build.info",
    kind: "gauge",
    unit: "",
    description: "1, with the version of this build, its revision and the version of Node.",
    attributes: { version: fromBoundedSource, revision: fromBoundedSource, node: fromBoundedSource },
    scope: "process",
    fromStart: false,
    seriesLimit: 2,
  },
} as const satisfies Record<string, MetricDefinition>;
