// Over 300 lines: OpenMetrics and the text format share every line but a few characters of it, which two files would hide.
import type { HrTime } from "@opentelemetry/api";
import { DataPointType, type MetricData, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import {
  boundsOf,
  catalogue,
  combinationsOf,
  familyName,
  fromBoundedSource,
  isCounter,
  labelName,
  type MetricDefinition,
  metricDefinitions,
  overflowAttribute,
  prometheusName,
  unitWord,
} from "./catalogue.ts";
import { isOfRole } from "./instruments.ts";

/** OpenMetrics 1.0, or the text format 0.0.4 that everything reads. */
export type Format = "openmetrics" | "text";

export const contentTypes: Readonly<Record<Format, string>> = {
  // The format's own content type; we write underscores only, and say so (Prometheus 3.16).
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
  text: "text/plain; version=0.0.4; charset=utf-8",
};

export interface ExpositionOptions {
  readonly format: Format;
  readonly prefix: string;
  readonly role: string;
  readonly latencyBounds: readonly number[];
  /** Adds `_created` lines, in OpenMetrics only: the text format would make series of their own of them. */
  readonly created: boolean;
  /** When histograms that are still at 0 began, in seconds of Unix time. */
  readonly startedSeconds: number;
}

/** A histogram's point is about 2 kB: a piece takes a fraction of a millisecond. */
const pointsAPiece = 64;

type Labels = Readonly<Record<string, unknown>>;
interface HistogramPoint {
  readonly counts: readonly number[];
  readonly bounds: readonly number[];
  readonly sum: number | undefined;
  readonly count: number;
}
interface Point {
  readonly labels: Labels;
  readonly value: number | HistogramPoint;
  readonly createdSeconds: number;
}
interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly unit: string | undefined;
  readonly points: Point[];
}

/**
 * Which format an Accept header prefers (RFC 9110, section 12.5.1): the highest q, OpenMetrics where they are equal;
 * the text format when it names neither, since a scrape with a wrong header is better served than refused.
 */
export function chooseFormat(accept: string | undefined): Format {
  let best: { format: Format; quality: number } = { format: "text", quality: 0 };
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const parameter = (name: string) =>
      parameters
        .find((each) => each.startsWith(`${name}=`))
        ?.slice(name.length + 1)
        .replace(/^"|"$/g, "");
    const version = parameter("version");
    const q = parameter("q") ?? "1";
    // "", "high" and 7 are no weights: such a range counts for nothing.
    if (!/^(0(\.\d*)?|1(\.0*)?)$/.test(q)) continue;
    const quality = Number(q);
    let format: Format;
    if (type === "application/openmetrics-text" && (version === undefined || version === "1.0.0"))
      format = "openmetrics";
    else if (type === "text/plain" && (version === undefined || version === "0.0.4")) format = "text";
    else if (type === "*/*" || type === "text/*") format = "text";
    else continue;
    const isBetter = quality > best.quality || (quality === best.quality && quality > 0 && format === "openmetrics");
    if (isBetter) best = { format, quality };
  }
  return best.format;
}

/** A sample's value as both formats write it. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

/** `le` as OpenMetrics wants it, a float: Prometheus 3 would rewrite `1` to `1.0` (seen on Node 24, November 2026). */
export function formatBound(bound: number): string {
  return Number.isInteger(bound) && Math.abs(bound) < 1e21 ? `${bound}.0` : formatNumber(bound);
}

/** Backslash, quote and line feed, the three characters that both formats escape in label values. */
export function escapeLabelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}

/** HELP text; quotes are escaped in OpenMetrics only. */
export function escapeHelp(help: string, format: Format): string {
  const escaped = help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
  return format === "openmetrics" ? escaped.replace(/"/g, '\\"') : escaped;
}

interface LabelText {
  readonly pairs: string;
  /** The same for all label sets that Prometheus holds to be one series. */
  readonly key: string;
}

/** Label sets live as long as their metric: their text is made once, which is half of what a scrape costs. */
const textOf = new WeakMap<Labels, LabelText>();

function labelText(labels: Labels): LabelText {
  let text = textOf.get(labels);
  if (text === undefined) {
    text = writeLabels(labels);
    textOf.set(labels, text);
  }
  return text;
}

/** Lists as JSON: joined, `["a,b"]` and `["a","b"]` would be one. Half a character becomes U+FFFD, as in UTF-8. */
function labelValue(value: unknown): string {
  return (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "")).toWellFormed();
}

function writeLabels(labels: Labels): LabelText {
  // Two attributes may become the same label: the specification joins their values with ";". Twice the same label
  // would make Prometheus drop the whole target.
  const values = new Map<string, string>();
  for (const [attribute, value] of Object.entries(labels)) {
    const name = labelName(attribute);
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? labelValue(value) : `${earlier};${labelValue(value)}`);
  }
  const pairs = Array.from(values, ([name, value]) => `${name}="${escapeLabelValue(value)}"`);
  // To Prometheus an empty label is none, and the order tells nothing.
  const key = pairs.filter((pair) => !pair.endsWith('=""')).toSorted();
  return { pairs: pairs.join(","), key: key.join(",") };
}

const braces = (pairs: string): string => (pairs === "" ? "" : `{${pairs}}`);
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
  readonly #options: ExpositionOptions;
  readonly #taken = new Set(["target", "target_info"]);

  constructor(options: ExpositionOptions) {
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

function addPoints(family: Family, metric: MetricData): void {
  if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) return;
  for (const { attributes, value, startTime } of metric.dataPoints) {
    const createdSeconds = seconds(startTime);
    if (typeof value === "number") family.points.push({ labels: attributes, value, createdSeconds });
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
      });
    }
  }
}

/** Histograms at 0 over the combinations that nothing was recorded for; the SDK has no way to show those. */
function fillHistograms(families: Families, options: ExpositionOptions): void {
  for (const [, definition] of metricDefinitions) {
    if (definition.kind !== "histogram" || !definition.fromStart || !isOfRole(definition, options.role)) continue;
    const family = families.of(definition, "histogram");
    if (family === undefined) continue;
    const attributeNames = Object.keys(definition.attributes);
    const keyOf = (labels: Labels) => JSON.stringify(attributeNames.map((attribute) => labels[attribute]));
    const present = new Set(family.points.map(({ labels }) => keyOf(labels)));
    const bounds = boundsOf(definition, options.latencyBounds);
    const counts = new Array<number>(bounds.length + 1).fill(0);
    for (const labels of combinationsOf(definition) ?? []) {
      if (present.has(keyOf(labels))) continue;
      family.points.push({
        labels,
        value: { counts, bounds, sum: 0, count: 0 },
        createdSeconds: options.startedSeconds,
      });
    }
  }
}

/** What stands between a bucket's labels and its value, by bound; made once for the bounds of a family. */
class BoundTexts {
  #bounds: readonly number[] = [];
  #texts: readonly string[] = [];

  of(bounds: readonly number[]): readonly string[] {
    const isSame =
      bounds.length === this.#bounds.length && bounds.every((bound, index) => bound === this.#bounds[index]);
    if (!isSame || this.#texts.length === 0) {
      this.#bounds = bounds;
      this.#texts = [...bounds.map((bound) => `le="${formatBound(bound)}"} `), 'le="+Inf"} '];
    }
    return this.#texts;
  }
}

/** The lines of one point, each with its line feed. */
function pointText(family: Family, point: Point, pairs: string, withCreated: boolean, boundTexts: BoundTexts): string {
  const set = braces(pairs);
  const created =
    withCreated && family.type !== "gauge"
      ? `${family.name}_created${set} ${formatNumber(point.createdSeconds)}\n`
      : "";
  if (typeof point.value === "number") {
    const name = family.type === "counter" ? `${family.name}_total` : family.name;
    return `${name}${set} ${formatNumber(point.value)}\n${created}`;
  }
  const { bounds, counts, sum, count } = point.value;
  const texts = boundTexts.of(bounds);
  const before = `${family.name}_bucket{${pairs === "" ? "" : `${pairs},`}`;
  let text = "";
  let cumulative = 0;
  for (let index = 0; index < bounds.length; index += 1) {
    cumulative += counts[index] ?? 0;
    text += `${before}${texts[index]}${cumulative}\n`;
  }
  text += `${before}${texts[bounds.length]}${count}\n`;
  if (sum !== undefined) text += `${family.name}_sum${set} ${formatNumber(sum)}\n`;
  return `${text}${family.name}_count${set} ${count}\n${created}`;
}

/** How many samples a point is, `_created` aside or not. */
function samplesOf(family: Family, point: Point, withCreated: boolean): number {
  const created = withCreated && family.type !== "gauge" ? 1 : 0;
  if (typeof point.value === "number") return 1 + created;
  return point.value.bounds.length + 2 + (point.value.sum === undefined ? 0 : 1) + created;
}

function head(family: Family, format: Format): string {
  // The text format has no notion of a family without the suffix.
  const name = format === "text" && family.type === "counter" ? `${family.name}_total` : family.name;
  const unit = format === "openmetrics" && family.unit !== undefined ? `# UNIT ${name} ${family.unit}\n` : "";
  return `# HELP ${name} ${escapeHelp(family.help, format)}\n# TYPE ${name} ${family.type}\n${unit}`;
}

/** The resource, without what the labels job and instance already say. */
function targetInfo(metrics: ResourceMetrics, format: Format): string {
  const said = ["service.name", "service.namespace", "service.instance.id"];
  const labels = Object.fromEntries(
    Object.entries(metrics.resource.attributes).filter(([name]) => !said.includes(name)),
  );
  const [name, type] = format === "openmetrics" ? ["target", "info"] : ["target_info", "gauge"];
  return `# HELP ${name} The resource of this process.\n# TYPE ${name} ${type}\ntarget_info${braces(labelText(labels).pairs)} 1\n`;
}

const isOverflow = (point: Point): boolean => point.labels[overflowAttribute] === true;

/** How much each metric that can grow takes up, and what its series limit has cut off; all others together as `other`. */
function aboutItself(
  families: Iterable<Family>,
  options: ExpositionOptions,
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
  // These two families, of which one is a counter, and target_info.
  const ofEach = options.created && options.format === "openmetrics" ? 3 : 2;
  series.set("other", (series.get("other") ?? 0) + ofEach * labels.length + 1);
  return [series, dropped].map((values, index) => {
    const family = selfFamily(selfDefinitions[index]!, options.prefix);
    for (const [metric, value] of values)
      family.points.push({ labels: { metric }, value, createdSeconds: options.startedSeconds });
    return family;
  });
}

function familiesOf(metrics: ResourceMetrics, options: ExpositionOptions): Family[] {
  const families = new Families(options);
  for (const { metrics: ofScope } of metrics.scopeMetrics) {
    for (const metric of ofScope) {
      const family = families.of(definitionOf(metric), typeOf(metric));
      if (family !== undefined) addPoints(family, metric);
    }
  }
  fillHistograms(families, options);
  // A family without a sample is noise: promtool reads it as a metric that is there.
  return [...families.byName.values()].filter(({ points }) => points.length > 0);
}

/** The lines of one family; returns how many samples they are. */
function* familyPieces(family: Family, { format, created }: ExpositionOptions): Generator<string, number> {
  const withCreated = created && format === "openmetrics";
  const boundTexts = new BoundTexts();
  const written = new Set<string>();
  let samples = 0;
  let piece = head(family, format);
  for (const [index, point] of family.points.entries()) {
    // `a.b` and `a_b` are one name here. Of a series that comes twice Prometheus keeps the first, and complains.
    const { pairs, key } = labelText(point.labels);
    if (!written.has(key)) {
      written.add(key);
      piece += pointText(family, point, pairs, withCreated, boundTexts);
      samples += samplesOf(family, point, withCreated);
    }
    if ((index + 1) % pointsAPiece > 0) continue;
    yield piece;
    piece = "";
  }
  yield piece;
  return samples;
}

/**
 * Writes what the SDK collected in OpenMetrics 1.0 or the text format 0.0.4, by the OpenTelemetry–Prometheus
 * compatibility specification: unit suffixes, `_total`, each family in one piece, `target_info`, no scope labels.
 * Piece by piece, so that whoever writes a large one can let others in between.
 */
export function* expositionPieces(metrics: ResourceMetrics, options: ExpositionOptions): Generator<string> {
  const families = familiesOf(metrics, options);
  const series = new Map<Family, number>();
  for (const family of families) series.set(family, yield* familyPieces(family, options));
  for (const family of aboutItself(families, options, series)) yield* familyPieces(family, options);
  yield targetInfo(metrics, options.format) + (options.format === "openmetrics" ? "# EOF\n" : "");
}

/** The pieces at once. */
export function writeExposition(metrics: ResourceMetrics, options: ExpositionOptions): string {
  return [...expositionPieces(metrics, options)].join("");
}
