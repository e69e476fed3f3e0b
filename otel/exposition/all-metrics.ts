import { type Attributes, type HrTime, ValueType } from "@opentelemetry/api";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
  type ScopeMetrics,
} from "@opentelemetry/sdk-metrics";
import { catalogue, metricDefinitions } from "../api/catalogue/catalogue.ts";
import { boundsOf, type MetricDefinition } from "../api/catalogue/metric-definition.ts";
import { meterName } from "../api/instruments.ts";
import { seriesOf } from "./exposition.ts";
import {
  type Family,
  type FamilyOptions,
  familiesAboutItself,
  familiesOf,
  isZeroFromStart,
  missingLabels,
} from "./metric-families.ts";

/** From when to when a point counts. */
interface Times {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

const hrTimeOf = (seconds: number): HrTime => [Math.floor(seconds), Math.floor((seconds % 1) * 1e9)];

const descriptorOf = ({ name, unit, description }: MetricDefinition): MetricData["descriptor"] => ({
  name,
  unit,
  description,
  valueType: ValueType.DOUBLE,
});

/** The histograms of our meter with all their combinations, those at 0 too. */
function withZeros(metrics: readonly MetricData[], options: FamilyOptions, times: Times): MetricData[] {
  const all = new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
  for (const [, definition] of metricDefinitions) {
    if (!isZeroFromStart(definition, options.role)) continue;
    const metric = all.get(definition.name);
    const known = metric?.dataPointType === DataPointType.HISTOGRAM ? metric.dataPoints : [];
    const boundaries = [...boundsOf(definition, options.latencyBounds)];
    const zeros = missingLabels(
      definition,
      known.map(({ attributes }) => attributes),
    ).map(
      (attributes): DataPoint<Histogram> => ({
        ...times,
        attributes,
        value: { buckets: { boundaries, counts: new Array<number>(boundaries.length + 1).fill(0) }, sum: 0, count: 0 },
      }),
    );
    all.set(definition.name, {
      descriptor: metric?.descriptor ?? descriptorOf(definition),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: [...known, ...zeros],
    });
  }
  return [...all.values()];
}

/** The figures of /metrics about itself, which count the same series for every reader. */
function aboutItself(collected: ResourceMetrics, options: FamilyOptions, times: Times): MetricData[] {
  const families = familiesOf(collected, options);
  const series = new Map<Family, number>();
  for (const family of families)
    series.set(
      family,
      family.points.reduce((sum, point) => sum + seriesOf(point), 0),
    );
  const [counted, dropped] = familiesAboutItself(families, options, series).map(({ points }) =>
    points.map(({ labels, value }) => ({
      ...times,
      attributes: { metric: String(labels.metric) },
      value: Number(value),
    })),
  );
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  return [
    {
      descriptor: descriptorOf(catalogue.metricsSeries),
      aggregationTemporality,
      dataPointType: DataPointType.GAUGE,
      dataPoints: counted ?? [],
    },
    {
      descriptor: descriptorOf(catalogue.metricsDropped),
      aggregationTemporality,
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: dropped ?? [],
    },
  ];
}

const told = new WeakMap<object, Attributes>();

/** To Prometheus an empty label is none; elsewhere `error.type` that is empty would be an error without a name. */
function withoutEmpty(attributes: Attributes): Attributes {
  let some = told.get(attributes);
  if (some === undefined) {
    some = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
    told.set(attributes, some);
  }
  return some;
}

/** An instrumentation that is not ours has words of its own. */
const descriptions: ReadonlyMap<string, string> = new Map(
  metricDefinitions.map(([, { name, description }]) => [name, description]),
);

/** One scope for each name: our meter's metrics come from the SDK and from where requests are counted. */
function byScope({ scopeMetrics }: ResourceMetrics): ScopeMetrics[] {
  const scopes = new Map<string, ScopeMetrics>();
  for (const { scope, metrics } of scopeMetrics) {
    const known = scopes.get(scope.name)?.metrics ?? [];
    // A metric without a point, of which nothing is known now, is none.
    const shown = metrics
      .filter(({ dataPoints }) => dataPoints.length > 0)
      .map(
        (metric) =>
          ({
            ...metric,
            descriptor: { ...metric.descriptor, description: descriptions.get(metric.descriptor.name) ?? "" },
            dataPoints: metric.dataPoints.map((point) => ({ ...point, attributes: withoutEmpty(point.attributes) })),
          }) as MetricData,
      );
    scopes.set(scope.name, { scope, metrics: [...known, ...shown] });
  }
  return [...scopes.values()];
}

/**
 * What was collected and what /metrics adds to it, as metric data for any other reader: histograms at 0 and the figures
 * about itself, by the same rules.
 */
export function allMetrics(collected: ResourceMetrics, options: FamilyOptions): ResourceMetrics {
  const times = { startTime: hrTimeOf(options.startedSeconds), endTime: hrTimeOf(Date.now() / 1000) };
  const scopes = byScope(collected);
  const ours = scopes.find(({ scope }) => scope.name === meterName) ?? { scope: { name: meterName }, metrics: [] };
  const metrics = [...withZeros(ours.metrics, options, times), ...aboutItself(collected, options, times)];
  return {
    resource: collected.resource,
    scopeMetrics: [{ scope: ours.scope, metrics }, ...scopes.filter((each) => each !== ours)],
  };
}
