import type { HrTime } from "@opentelemetry/api";
import { DataPointType, type MetricData, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { combinationsOf } from "../api/catalogue/attribute-sets.ts";
import { catalogue, metricDefinitions } from "../api/catalogue/catalogue.ts";
import {
  boundsOf,
  fromBoundedSource,
  type MetricDefinition,
  overflowAttribute,
} from "../api/catalogue/metric-definition.ts";
import { familyName, isCounter, prometheusName, unitWord } from "../api/catalogue/metric-names.ts";
import type { Exemplar } from "../api/exemplars.ts";
import { isOfRole } from "../api/instruments.ts";

/** What the families depend on, besides what was collected. */
export interface FamilyOptions {
  readonly prefix: string;
  readonly role: string;
  readonly latencyBounds: readonly number[];
  /** `_created` lines take names of their own. */
  readonly created: boolean;
  /** When histograms that are still at 0 began, in seconds of Unix time. */
  readonly startedSeconds: number;
  /** Exemplars of a series, by bucket; absent while there are no traces. */
  readonly exemplarsOf?: ((metricName: string, attributes: Labels) => Point["exemplars"]) | undefined;
}

/** Attributes of one point, by their OpenTelemetry names. */
export type Labels = Readonly<Record<string, unknown>>;
interface HistogramPoint {
  readonly counts: readonly number[];
  readonly bounds: readonly number[];
  readonly sum: number | undefined;
  readonly count: number;
}
/** One label set of a family. */
export interface Point {
  readonly labels: Labels;
  readonly value: number | HistogramPoint;
  readonly createdSeconds: number;
  /** By bucket; of a counter the first. */
  readonly exemplars?: readonly (Exemplar | undefined)[] | undefined;
}
/** What Prometheus calls a metric: a name without `_total`, and all its points. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly unit: string | undefined;
  readonly points: Point[];
}

const seconds = ([whole, nanos]: HrTime): number => whole + nanos / 1e9;

const definitionOfName: ReadonlyMap<string, MetricDefinition> = new Map(
  metricDefinitions.map(([, definition]) => [definition.name, definition]),
);

function definitionOf(metric: MetricData): MetricDefinition {
  const declared = definitionOfName.get(metric.descriptor.name);
  if (declared !== undefined) return declared;
  // Of an instrumentation that is not ours: named by the same rules.
  const isMonotonic = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
  const { name, unit, description } = metric.descriptor;
  return {
    name,
    unit,
    description,
    kind: metric.dataPointType === DataPointType.HISTOGRAM ? "histogram" : isMonotonic ? "counter" : "gauge",
    attributes: {},
    scope: "process",
    fromStart: false,
  };
}

function typeOf(metric: MetricData): Family["type"] {
  if (metric.dataPointType === DataPointType.HISTOGRAM) return "histogram";
  return metric.dataPointType === DataPointType.SUM && metric.isMonotonic ? "counter" : "gauge";
}

function newFamily(definition: MetricDefinition, type: Family["type"], prefix: string): Family {
  const name = familyName(definition, prefix);
  const unit = unitWord(definition);
  // OpenMetrics: a unit must be the end of the name.
  const isNamed = unit !== undefined && name.endsWith(`_${unit}`);
  return { name, type, help: definition.description, unit: isNamed ? unit : undefined, points: [] };
}

/** What the exposition says about itself: series and dropped measurements. */
const selfDefinitions: readonly MetricDefinition[] = [catalogue.metricsSeries, catalogue.metricsDropped];
const selfFamily = (definition: MetricDefinition, prefix: string): Family =>
  newFamily(definition, isCounter(definition.kind) ? "counter" : "gauge", prefix);

const suffixes = { counter: ["_total"], gauge: [], histogram: ["_bucket", "_sum", "_count"] } as const;

/** The families of one exposition. Of two that would share a name, the first stays. */
class Families {
  readonly byName = new Map<string, Family>();
  readonly #options: FamilyOptions;
  readonly #taken = new Set(["target", "target_info"]);

  constructor(options: FamilyOptions) {
    this.#options = options;
    // These come last, and must be there.
    for (const definition of selfDefinitions) {
      for (const name of this.#namesOf(selfFamily(definition, options.prefix))) this.#taken.add(name);
    }
  }

  /** Undefined where another family has the name, or that of one of its samples. */
  of(definition: MetricDefinition, type: Family["type"]): Family | undefined {
    const family = newFamily(definition, type, this.#options.prefix);
    const known = this.byName.get(family.name);
    if (known !== undefined) return known.type === type ? known : undefined;
    const names = this.#namesOf(family);
    if (names.some((name) => this.#taken.has(name))) return undefined;
    for (const name of names) this.#taken.add(name);
    this.byName.set(family.name, family);
    return family;
  }

  #namesOf({ name, type }: Family): string[] {
    const created = this.#options.created && type !== "gauge" ? [`${name}_created`] : [];
    return [name, ...suffixes[type].map((suffix) => `${name}${suffix}`), ...created];
  }
}

function addPoints(family: Family, metric: MetricData, exemplarsOf: FamilyOptions["exemplarsOf"]): void {
  if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) return;
  for (const { attributes, value, startTime } of metric.dataPoints) {
    const createdSeconds = seconds(startTime);
    const exemplars = family.type === "gauge" ? undefined : exemplarsOf?.(metric.descriptor.name, attributes);
    if (typeof value === "number") family.points.push({ labels: attributes, value, createdSeconds, exemplars });
    else {
      const { buckets, sum, count } = value;
      family.points.push({
        labels: attributes,
        // Below 0 a sum can fall, and then it is none (OpenMetrics 1.0, "Histogram").
        value: {
          counts: buckets.counts,
          bounds: buckets.boundaries,
          sum: (buckets.boundaries[0] ?? 0) < 0 ? undefined : sum,
          count,
        },
        createdSeconds,
        exemplars,
      });
    }
  }
}

/** Whether a metric is a histogram that is shown at 0; the SDK has no way to do that. */
export function isZeroFromStart(definition: MetricDefinition, role: string): boolean {
  return definition.kind === "histogram" && definition.fromStart && isOfRole(definition, role);
}

/** The combinations of a metric that nothing was recorded for. */
export function missingLabels(definition: MetricDefinition, present: readonly Labels[]): Record<string, string>[] {
  const attributeNames = Object.keys(definition.attributes);
  const keyOf = (labels: Labels) => JSON.stringify(attributeNames.map((attribute) => labels[attribute]));
  const keys = new Set(present.map(keyOf));
  return (combinationsOf(definition) ?? []).filter((labels) => !keys.has(keyOf(labels)));
}

/** Histograms at 0 over the combinations that nothing was recorded for. */
function fillHistograms(families: Families, options: FamilyOptions): void {
  for (const [, definition] of metricDefinitions) {
    if (!isZeroFromStart(definition, options.role)) continue;
    const family = families.of(definition, "histogram");
    if (family === undefined) continue;
    const present = family.points.map(({ labels }) => labels);
    const bounds = boundsOf(definition, options.latencyBounds);
    const counts = new Array<number>(bounds.length + 1).fill(0);
    for (const labels of missingLabels(definition, present)) {
      family.points.push({
        labels,
        value: { counts, bounds, sum: 0, count: 0 },
        createdSeconds: options.startedSeconds,
      });
    }
  }
}

const isOverflow = (point: Point): boolean => point.labels[overflowAttribute] === true;

/**
 * How much each metric that can grow takes up, and what its series limit has cut off; all others together as `other`.
 * `seriesOf` says how many series each family was.
 */
export function familiesAboutItself(
  families: Iterable<Family>,
  options: FamilyOptions,
  seriesOf: ReadonlyMap<Family, number>,
): Family[] {
  const growing = new Map<string, string>();
  for (const [, definition] of metricDefinitions) {
    const canGrow = definition.source === undefined && Object.values(definition.attributes).includes(fromBoundedSource);
    const isInfo = definition.name === catalogue.buildInfo.name;
    if (canGrow && !isInfo && isOfRole(definition, options.role)) {
      growing.set(familyName(definition, options.prefix), prometheusName(definition, options.prefix));
    }
  }
  const labels = [...growing.values(), "other"];
  const series = new Map(labels.map((label) => [label, 0]));
  const dropped = new Map(labels.map((label) => [label, 0]));
  for (const family of families) {
    const label = growing.get(family.name) ?? "other";
    series.set(label, (series.get(label) ?? 0) + (seriesOf.get(family) ?? 0));
    for (const point of family.type === "gauge" ? [] : family.points.filter(isOverflow)) {
      dropped.set(
        label,
        (dropped.get(label) ?? 0) + (typeof point.value === "number" ? point.value : point.value.count),
      );
    }
  }
  // These two families, and target_info.
  series.set("other", (series.get("other") ?? 0) + 2 * labels.length + 1);
  return [series, dropped].map((values, index) => {
    const family = selfFamily(selfDefinitions[index]!, options.prefix);
    for (const [metric, value] of values)
      family.points.push({ labels: { metric }, value, createdSeconds: options.startedSeconds });
    return family;
  });
}

/** What was collected, by the names that Prometheus knows; of two metrics that would share one, the first stays. */
export function familiesOf(metrics: ResourceMetrics, options: FamilyOptions): Family[] {
  const families = new Families(options);
  for (const { metrics: ofScope } of metrics.scopeMetrics) {
    for (const metric of ofScope) {
      const family = families.of(definitionOf(metric), typeOf(metric));
      if (family !== undefined) addPoints(family, metric, options.exemplarsOf);
    }
  }
  fillHistograms(families, options);
  // A family without a sample is noise: promtool reads it as a metric that is there.
  return [...families.byName.values()].filter(({ points }) => points.length > 0);
}
