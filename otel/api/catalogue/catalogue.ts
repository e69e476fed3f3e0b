import { databaseMetrics } from "./database.ts";
import { datasetMetrics } from "./datasets.ts";
import { httpMetrics } from "./http.ts";
import type { MetricDefinition } from "./metric-definition.ts";
import { predictionMetrics } from "./predictions.ts";
import { processMetrics } from "./process.ts";
import { telemetryMetrics } from "./telemetry.ts";
import { trainingMetrics } from "./training.ts";
import { ttlMetrics } from "./ttl.ts";

/**
 * Every metric of this service, declared once, each in the file of its domain. Instruments (`src/monitoring/metrics.ts`),
 * views, the exposition, `docs/metrics.md`, the queries of dashboards and rules and the drift checks all follow from it, in
 * this order.
 */
export const catalogue = {
  ...httpMetrics,
  ...datasetMetrics,
  ...trainingMetrics,
  ...predictionMetrics,
  ...ttlMetrics,
  ...databaseMetrics,
  ...processMetrics,
  ...telemetryMetrics,
} as const satisfies Record<string, MetricDefinition>;

export type MetricKey = keyof typeof catalogue;

/** All definitions, typed plainly. */
export const metricDefinitions: readonly (readonly [MetricKey, MetricDefinition])[] = Object.entries(
  catalogue,
) as unknown as readonly (readonly [MetricKey, MetricDefinition])[];
