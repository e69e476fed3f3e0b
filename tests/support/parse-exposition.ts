/** What stands behind a sample's value in OpenMetrics. */
interface ParsedExemplar {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  readonly timestampSeconds: number;
}

/** A sample as it was written. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  readonly exemplar?: ParsedExemplar | undefined;
}
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string | undefined;
  readonly samples: ParsedSample[];
}

const metricName = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const labelName = "[a-zA-Z_][a-zA-Z0-9_]*";
/** `realnumber` and the three words of the ABNF; neither hexadecimal nor a bare dot. */
const number = "[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:e[+-]?\\d+)?|NaN|[+-]Inf";
const pair = `(${labelName})="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"`;
const sampleLine = new RegExp(`^(${metricName})(?:\\{(${pair}(?:,${pair})*)\\})? (${number})$`, "u");
const exemplarPart = new RegExp(`^(.*) # \\{(${pair}(?:,${pair})*)\\} (${number}) (${number})$`, "u");
const typeSuffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  info: ["_info"],
};
const escapes: Readonly<Record<"openmetrics" | "text", RegExp>> = {
  openmetrics: /^(?:[^"\\\n]|\\["\\n])*$/u,
  text: /^(?:[^\\\n]|\\[\\n])*$/u,
};

const unescaped = (text: string): string =>
  text.replace(/\\(.)/gu, (_all, character: string) => (character === "n" ? "\n" : character));

function fail(reason: string, line: string): never {
  throw new Error(`${reason}: ${JSON.stringify(line)}`);
}

function parseNumber(text: string): number {
  return text.endsWith("Inf") ? Number(`${text}inity`) : Number(text);
}

function parseLabels(pairs: string, line: string): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [, label = "", value = ""] of pairs.matchAll(new RegExp(pair, "gu"))) {
    if (labels.has(label)) fail(`label ${label} twice`, line);
    if (label.startsWith("__")) fail(`label ${label} is reserved`, line);
    labels.set(label, unescaped(value));
  }
  return labels;
}

/** One line of either format, without an exemplar. */
export function parseSample(line: string): ParsedSample {
  const [, name = "", pairs] = sampleLine.exec(line) ?? fail("no sample", line);
  return { name, labels: parseLabels(pairs ?? "", line), value: parseNumber(line.slice(line.lastIndexOf(" ") + 1)) };
}

/** One line of OpenMetrics: an exemplar stands at buckets and counters only, and its labels have 128 characters at most. */
function parseSampleWithExemplar(line: string): ParsedSample {
  const parts = exemplarPart.exec(line);
  if (parts === null) return parseSample(line);
  const sample = parseSample(parts[1] ?? "");
  if (!/_(bucket|total)$/.test(sample.name)) fail("an exemplar where none may be", line);
  const labels = parseLabels(parts[2] ?? "", line);
  const characters = [...labels].flat().join("").length;
  if (characters > 128) fail("an exemplar with too long labels", line);
  const [value, timestampSeconds] = line.split(" ").slice(-2).map(parseNumber);
  return {
    ...sample,
    exemplar: { labels, value: value ?? Number.NaN, timestampSeconds: timestampSeconds ?? Number.NaN },
  };
}

/** What Prometheus takes for one series: an empty label is none, and the order of labels tells nothing. */
export function seriesKey({ name, labels }: ParsedSample, without?: string): string {
  const given = [...labels].filter(([label, value]) => value !== "" && label !== without);
  return JSON.stringify([name, ...given.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/**
 * Reads an exposition strictly, by the ABNF of OpenMetrics 1.0 or the text format 0.0.4 without what we don't write
 * (timestamps, comments, blank lines). Throws where a line, a family's order or a second series is wrong.
 */
export function parseExposition(bytes: Uint8Array, format: "openmetrics" | "text"): ParsedFamily[] {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Error("OpenMetrics ends with # EOF");

  const families = new Map<string, { family: ParsedFamily; said: Map<string, string> }>();
  const series = new Set<string>();
  let current: { family: ParsedFamily; said: Map<string, string> } | undefined;
  for (const line of lines) {
    if (line.startsWith("#")) {
      const [, keyword = "", name = "", rest = ""] =
        new RegExp(`^# (HELP|TYPE|UNIT) (${metricName}) ([^\\n]*)$`, "u").exec(line) ?? fail("no metadata", line);
      if (current?.family.name !== name) {
        if (families.has(name)) fail("a family in two pieces", line);
        current = { family: { name, type: "unknown", help: "", unit: undefined, samples: [] }, said: new Map() };
        families.set(name, current);
      }
      if (current.said.has(keyword)) fail(`${keyword} twice`, line);
      if (current.family.samples.length > 0) fail(`${keyword} behind a sample`, line);
      current.said.set(keyword, rest);
      if (keyword === "HELP" && !escapes[format].test(rest)) fail("help is not escaped", line);
      if (keyword === "TYPE" && !(rest in typeSuffixes)) fail("no type", line);
      if (keyword === "UNIT" && (format === "text" || !name.endsWith(`_${rest}`))) fail("no unit", line);
      const { said, family } = current;
      const read = {
        type: said.get("TYPE") ?? "unknown",
        help: unescaped(said.get("HELP") ?? ""),
        unit: said.get("UNIT"),
      };
      Object.assign(family, read);
      continue;
    }
    const sample = format === "openmetrics" ? parseSampleWithExemplar(line) : parseSample(line);
    const { family } = current ?? fail("a sample before its family", line);
    const suffixes = format === "text" && family.type === "counter" ? [""] : (typeSuffixes[family.type] ?? []);
    if (!suffixes.some((suffix) => sample.name === `${family.name}${suffix}`)) fail("of another family", line);
    const key = seriesKey(sample);
    if (series.has(key)) fail("a series twice", line);
    series.add(key);
    family.samples.push(sample);
  }
  const read = [...families.values()].map(({ family }) => family);
  for (const family of read) if (family.type === "histogram") checkHistogram(family);
  return read;
}

/** Each label set of a histogram: floats as `le`, ascending and cumulative, `+Inf` as the count. */
function checkHistogram({ name, samples }: ParsedFamily): void {
  const counts = new Map<string, number>();
  const buckets = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    if (sample.name === `${name}_count`) counts.set(seriesKey({ ...sample, name }), sample.value);
    if (sample.name !== `${name}_bucket`) continue;
    const key = seriesKey({ ...sample, name }, "le");
    buckets.set(key, [...(buckets.get(key) ?? []), sample]);
  }
  if (counts.size !== buckets.size) fail("as many counts as histograms", name);
  for (const [key, ofOne] of buckets) {
    let before = { bound: Number.NEGATIVE_INFINITY, value: 0 };
    for (const { labels, value, exemplar } of ofOne) {
      const le = labels.get("le") ?? fail("a bucket without le", key);
      if (le !== "+Inf" && !/^-?\d+(\.\d+(e[+-]?\d+)?|e[+-]?\d+)$/.test(le)) fail(`le ${le} is no float`, key);
      const bound = parseNumber(le);
      if (!(bound > before.bound)) fail(`le ${le} does not ascend`, key);
      if (value < before.value) fail(`le ${le} is not cumulative`, key);
      if (exemplar !== undefined && !(exemplar.value <= bound && exemplar.value > before.bound))
        fail(`an exemplar of ${exemplar.value} in the bucket ${le}`, key);
      before = { bound, value };
    }
    if (before.bound !== Number.POSITIVE_INFINITY) fail("the last le is not +Inf", key);
    if (before.value !== counts.get(key)) fail("+Inf is not the count", key);
  }
}
