import { ValueType } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { expect, test } from "vitest";
import { labelName } from "../../../otel/api/catalogue/metric-names.ts";
import type { Format } from "../../../otel/exposition/choose-format.ts";
import { type ExpositionOptions, expositionPieces } from "../../../otel/exposition/exposition.ts";
import { writeInSlices } from "../../../otel/exposition/scrape.ts";
import { expositionOptions } from "../../support/exposition-options.ts";
import { type ParsedFamily, parseExposition, seriesKey } from "../../support/parse-exposition.ts";

type Attributes = Record<string, string | number | boolean | string[]>;

const options = (format: Format, created: boolean): ExpositionOptions => ({
  ...expositionOptions,
  format,
  created,
  startedSeconds: 1000,
});

/** Few and close, so that they meet after escaping; and whatever there is. */
const wordy = fc.constantFrom("a.b", "a_b", "a/b", "a", "9a", "é", "", "le", "__name__", "target", "target.info");
const suffixed = fc.constantFrom(
  "a_b_total",
  "a.b.count",
  "a_b_bucket",
  "a.b.sum",
  "a_b_created",
  "_total",
  "a.b.seconds",
);
const own = fc.constantFrom(
  "mlops.backend.metrics.series",
  "mlops_backend_metrics_dropped_total",
  "http.server.requests",
);
const name = fc.oneof({ weight: 3, arbitrary: wordy }, suffixed, own, fc.string({ unit: "binary" }));
const nasty = fc.constantFrom(
  '"',
  "\n",
  "\r",
  "\r\n",
  "\\",
  "\\n",
  "{",
  "}",
  ",",
  "=",
  "#",
  " ",
  "😀",
  "\ud800",
  "\udc00",
  "�",
  ";",
  "a",
);
const halves = fc.array(
  fc.integer({ min: 0xd7f0, max: 0xe00f }).map((code) => String.fromCharCode(code)),
  { maxLength: 3 },
);
const text = fc.oneof(
  fc.array(nasty, { maxLength: 4 }).map((parts) => parts.join("")),
  halves.map((parts) => parts.join("")),
  fc.string({ unit: "binary" }),
);
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(
  name,
  fc.oneof({ weight: 4, arbitrary: text }, fc.boolean(), fc.double(), fc.array(text, { maxLength: 2 })),
  { maxKeys: 3 },
);
const unit = fc.oneof(fc.constantFrom("s", "By", "1", "{thing}", "", "toString"), text);
const startTime = [1_000, 500_000_000] as [number, number];
const endTime = [2_000, 0] as [number, number];

const numbers = fc.array(fc.record({ attributes, value: fc.double() }), { maxLength: 4 });
const bounds = fc
  .uniqueArray(fc.oneof(fc.integer({ min: -5, max: 20 }), fc.double({ noNaN: true, noDefaultInfinity: true })), {
    maxLength: 5,
    comparator: (a, b) => a === b,
  })
  .map((values) => values.toSorted((a, b) => a - b));
const histogramPoint = bounds.chain((boundaries) =>
  fc.record({
    attributes,
    sum: fc.option(fc.double(), { nil: undefined }),
    boundaries: fc.constant(boundaries),
    counts: fc.array(fc.nat(1e6), { minLength: boundaries.length + 1, maxLength: boundaries.length + 1 }),
  }),
);
const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

const common = { aggregationTemporality: AggregationTemporality.CUMULATIVE } as const;
const descriptor = fc.record({ name, unit, description: text, valueType: fc.constant(ValueType.DOUBLE) });
const metric: fc.Arbitrary<MetricData> = fc.oneof(
  fc.record({ descriptor, points: numbers, isMonotonic: fc.boolean() }).map(
    ({ points, ...rest }): MetricData => ({
      ...common,
      ...rest,
      dataPointType: DataPointType.SUM,
      dataPoints: points.map((point) => ({ ...point, startTime, endTime })),
    }),
  ),
  fc.record({ descriptor, points: numbers }).map(
    ({ points, ...rest }): MetricData => ({
      ...common,
      ...rest,
      dataPointType: DataPointType.GAUGE,
      dataPoints: points.map((point) => ({ ...point, startTime, endTime })),
    }),
  ),
  fc.record({ descriptor, points: fc.array(histogramPoint, { maxLength: 3 }) }).map(
    ({ points, ...rest }): MetricData => ({
      ...common,
      ...rest,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: points.map(({ attributes, sum, boundaries, counts }) => ({
        attributes,
        startTime,
        endTime,
        value: { buckets: { boundaries, counts }, count: total(counts), ...(sum !== undefined && { sum }) },
      })),
    }),
  ),
);
const collected: fc.Arbitrary<ResourceMetrics> = fc
  .record({ scopes: fc.array(fc.array(metric, { maxLength: 4 }), { maxLength: 3 }), resource: attributes })
  .map(({ scopes, resource }) => ({
    resource: resourceFromAttributes(resource),
    scopeMetrics: scopes.map((metrics, index) => ({ scope: { name: `scope ${index}` }, metrics })),
  }));

const formats = fc.constantFrom<Format>("openmetrics", "text");

/** One metric and one point of it, alone: nothing that it could be merged with. */
const alone = (dataPoints: unknown[], rest: object): ResourceMetrics => ({
  resource: resourceFromAttributes({}),
  scopeMetrics: [{ scope: { name: "alone" }, metrics: [{ ...common, ...rest, dataPoints } as unknown as MetricData] }],
});

function familyOf(bytes: Uint8Array, format: Format, name: string): ParsedFamily {
  const families = parseExposition(bytes, format).filter((family) => family.name === name);
  expect(families).toHaveLength(1);
  return families[0]!;
}

const createdOf = ({ name, type }: ParsedFamily): string => (type === "gauge" ? "" : `${name}_created`);

test("a strict reader reads whatever is measured, in both formats", async () => {
  await fc.assert(
    fc.asyncProperty(collected, formats, fc.boolean(), async (metrics, format, created) => {
      const bytes = await writeInSlices(metrics, options(format, created));
      const families = parseExposition(bytes, format);
      const samples = families.flatMap((family) => family.samples);
      // The pieces alone are whole lines: nothing is cut in two between them.
      const pieces = [...expositionPieces(metrics, options(format, created))];
      expect(pieces.every((piece) => piece === "" || piece.endsWith("\n"))).toBe(true);
      expect(Buffer.from(pieces.join("")).equals(bytes)).toBe(true);
      const said = samples.filter((sample) => sample.name === "mlops_backend_metrics_series");
      const ofCreated = families.flatMap((family) => family.samples.filter(({ name }) => name === createdOf(family)));
      expect(total(said.map((sample) => sample.value))).toBe(samples.length - ofCreated.length);
    }),
    { numRuns: 400 },
  );
});

test("labels, numbers and help come back as they were", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        name: fc.constant("some.thing"),
        // Not of those that change the name.
        unit: fc.constantFrom("{thing}", "toString", "\n", '"'),
        description: text,
        valueType: fc.constant(ValueType.DOUBLE),
      }),
      fc.dictionary(name, text, { maxKeys: 4 }),
      fc.double(),
      formats,
      async (descriptor, given, value, format) => {
        // Two that become one label are joined: another test's business.
        const expected = new Map(Object.entries(given).map(([attribute, each]) => [labelName(attribute), each]));
        fc.pre(expected.size === Object.keys(given).length);
        const point = { attributes: given, value, startTime, endTime };
        const metrics = alone([point], { descriptor, dataPointType: DataPointType.GAUGE });
        const family = familyOf(await writeInSlices(metrics, options(format, false)), format, "some_thing");
        expect(family.help).toBe(descriptor.description.toWellFormed());
        expect(family.samples).toHaveLength(1);
        const [sample] = family.samples;
        expect(sample!.value + 0).toBe(value + 0);
        expect([...sample!.labels]).toEqual([...expected].map(([label, each]) => [label, each.toWellFormed()]));
      },
    ),
    { numRuns: 300 },
  );
});

test("a histogram's bounds, counts and sum come back as they were", async () => {
  await fc.assert(
    fc.asyncProperty(histogramPoint, formats, async ({ attributes, sum, boundaries, counts }, format) => {
      const value = { buckets: { boundaries, counts }, count: total(counts), sum };
      const metrics = alone([{ attributes, value, startTime, endTime }], {
        descriptor: { name: "h", unit: "", description: "", valueType: ValueType.DOUBLE },
        dataPointType: DataPointType.HISTOGRAM,
      });
      const { samples } = familyOf(await writeInSlices(metrics, options(format, false)), format, "h");
      const buckets = samples.filter((sample) => sample.name === "h_bucket");
      const read = buckets.map((bucket) => Number(bucket.labels.get("le")!.replace("+Inf", "Infinity")) + 0);
      expect(read).toEqual([...boundaries, Number.POSITIVE_INFINITY].map((bound) => bound + 0));
      expect(buckets.map((bucket) => bucket.value)).toEqual(
        counts.map((_, index) => total(counts.slice(0, index + 1))),
      );
      // A sum of what may be negative is no counter.
      const isShown = sum !== undefined && !((boundaries[0] ?? 0) < 0);
      const sums = samples.filter((sample) => sample.name === "h_sum").map((sample) => sample.value + 0);
      expect(sums).toEqual(isShown ? [sum + 0] : []);
    }),
    { numRuns: 300 },
  );
});

test("what Prometheus would take for one series is written once", async () => {
  const twins: Attributes[][] = [
    [{ a: "\ud800" }, { a: "�" }],
    [{ "a.b": "1" }, { a_b: "1" }],
    [{ "a.b": "1", a_b: "2" }, { a_b: "1;2" }],
    [
      { a: "1", b: "2" },
      { b: "2", a: "1" },
    ],
    [{ a: "" }, {}],
  ];
  for (const [first, second] of twins) {
    const dataPoints = [first, second].map((given, value) => ({ attributes: given, value, startTime, endTime }));
    const descriptor = { name: "g", unit: "", description: "", valueType: ValueType.DOUBLE };
    const metrics = alone(dataPoints, { descriptor, dataPointType: DataPointType.GAUGE });
    const { samples } = familyOf(await writeInSlices(metrics, options("text", false)), "text", "g");
    expect(samples.map((sample) => sample.value)).toEqual([0]);
  }
  const lists = [["a,b"], ["a", "b"]].map((list) => ({ attributes: { list }, value: 1, startTime, endTime }));
  const descriptor = { name: "g", unit: "", description: "", valueType: ValueType.DOUBLE };
  const metrics = alone(lists, { descriptor, dataPointType: DataPointType.GAUGE });
  const { samples } = familyOf(await writeInSlices(metrics, options("text", false)), "text", "g");
  expect(new Set(samples.map((sample) => seriesKey(sample))).size).toBe(2);
});
