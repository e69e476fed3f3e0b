import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { labelName } from "../api/catalogue/metric-names.ts";
import type { Exemplar } from "../api/exemplars.ts";
import type { Format } from "./choose-format.ts";
import {
  type Family,
  type FamilyOptions,
  familiesAboutItself,
  familiesOf,
  type Labels,
  type Point,
} from "./metric-families.ts";

/** How an exposition is written; its `_created` lines come in OpenMetrics only, the text format would make series of their own of them. */
export interface ExpositionOptions extends FamilyOptions {
  readonly format: Format;
}

/** A histogram's point is about 2 kB: a piece takes a fraction of a millisecond. */
const pointsAPiece = 64;

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

/** By code unit, where two keys become one label; else as they were declared, which reads better. */
function inKeyOrder(entries: [string, unknown][]): [string, unknown][] {
  const names = new Set(entries.map(([attribute]) => labelName(attribute)));
  return names.size === entries.length ? entries : entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function writeLabels(labels: Labels): LabelText {
  // Two attributes may become the same label: the specification joins their values with ";", in the order of the
  // original keys ("Metric Attributes"), or two orders of recording would be two series. Twice the same label would make
  // Prometheus drop the whole target.
  const values = new Map<string, string>();
  for (const [attribute, value] of inKeyOrder(Object.entries(labels))) {
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

/** What follows a sample's value; 63 characters of labels, of the 128 that OpenMetrics allows. */
function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return "";
  const { traceId, spanId, value, timestampSeconds } = exemplar;
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${formatNumber(value)} ${timestampSeconds.toFixed(3)}`;
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
    return `${name}${set} ${formatNumber(point.value)}${exemplarText(point.exemplars?.[0])}\n${created}`;
  }
  const { bounds, counts, sum, count } = point.value;
  const texts = boundTexts.of(bounds);
  const { exemplars } = point;
  const before = `${family.name}_bucket{${pairs === "" ? "" : `${pairs},`}`;
  let text = "";
  let cumulative = 0;
  for (let index = 0; index < bounds.length; index += 1) {
    cumulative += counts[index] ?? 0;
    text += `${before}${texts[index]}${cumulative}${exemplarText(exemplars?.[index])}\n`;
  }
  text += `${before}${texts[bounds.length]}${count}${exemplarText(exemplars?.[bounds.length])}\n`;
  if (sum !== undefined) text += `${family.name}_sum${set} ${formatNumber(sum)}\n`;
  return `${text}${family.name}_count${set} ${count}\n${created}`;
}

/**
 * How many series a point is. `_created` aside: Prometheus takes it for the time at which a series began
 * (created-timestamp-zero-ingestion), and the ceilings of the catalogue count label sets.
 */
export function seriesOf({ value }: Point): number {
  return typeof value === "number" ? 1 : value.bounds.length + 2 + (value.sum === undefined ? 0 : 1);
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

/** The lines of one family; returns how many series they are. */
function* familyPieces(family: Family, options: ExpositionOptions): Generator<string, number> {
  const withCreated = options.created && options.format === "openmetrics";
  const boundTexts = new BoundTexts();
  const written = new Set<string>();
  let series = 0;
  let piece = head(family, options.format);
  for (const [index, point] of family.points.entries()) {
    // `a.b` and `a_b` are one name here. Of a series that comes twice Prometheus keeps the first, and complains.
    const { pairs, key } = labelText(point.labels);
    if (!written.has(key)) {
      written.add(key);
      piece += pointText(family, point, pairs, withCreated, boundTexts);
      series += seriesOf(point);
    }
    if ((index + 1) % pointsAPiece > 0) continue;
    yield piece;
    piece = "";
  }
  yield piece;
  return series;
}

/**
 * Writes what the SDK collected in OpenMetrics 1.0 or the text format 0.0.4, by the OpenTelemetry–Prometheus
 * compatibility specification: unit suffixes, `_total`, each family in one piece, `target_info`, no scope labels.
 * Piece by piece, so that whoever writes a large one can let others in between.
 */
export function* expositionPieces(metrics: ResourceMetrics, options: ExpositionOptions): Generator<string> {
  // The text format has no exemplars: what follows a value there is a timestamp.
  const { exemplarsOf, ...others } = options;
  const families = familiesOf(metrics, options.format === "openmetrics" ? options : others);
  const series = new Map<Family, number>();
  for (const family of families) series.set(family, yield* familyPieces(family, options));
  for (const family of familiesAboutItself(families, options, series)) yield* familyPieces(family, options);
  yield targetInfo(metrics, options.format) + (options.format === "openmetrics" ? "# EOF\n" : "");
}

/** The pieces at once. */
export function writeExposition(metrics: ResourceMetrics, options: ExpositionOptions): string {
  return [...expositionPieces(metrics, options)].join("");
}
