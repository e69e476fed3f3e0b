import { type MeterProvider as ApiMeterProvider, metrics } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { catalogue, type MetricKey, metricDefinitions } from "../../../otel/api/catalogue/catalogue.ts";
import {
  defaultLatencyBounds,
  fromBoundedSource,
  type MetricDefinition,
} from "../../../otel/api/catalogue/metric-definition.ts";
import { familyName, isCounter } from "../../../otel/api/catalogue/metric-names.ts";
import { add, meter, record } from "../../../otel/api/instruments.ts";
import { writeExposition } from "../../../otel/exposition/exposition.ts";
import { metricViews } from "../../../otel/metrics/views.ts";
import { expositionOptions } from "../../support/exposition-options.ts";
import { type ParsedSample, parseExposition, parseSample, seriesKey } from "../../support/parse-exposition.ts";

afterEach(() => metrics.disable());

/** Where the official serializer (exporter-prometheus 0.301) and ours say the same in other words, and why. */
const differences = {
  unit: 'It leaves units out of names, which the compatibility specification wants there ("Metric Metadata").',
  clientNames: "process_* are what every Prometheus client library calls them, so that ready-made panels find them.",
  wholeBounds: "Its le of a whole number is `1`, which OpenMetrics forbids and Prometheus 3 rewrites.",
  zeroHistograms: "Ours has histograms from the start, at 0; it knows those only that something was recorded for.",
  aboutItself: "Only ours says how many series there are and what a limit has cut off.",
  target: "Ours leaves out of target_info what the labels job and instance say already.",
} as const;

/** The name that the official serializer gives, by its own rule. */
function officialName(definition: MetricDefinition): string {
  const name = definition.name.replaceAll(".", "_");
  return isCounter(definition.kind) ? `${name}_total` : name;
}

function reasonOfName(definition: MetricDefinition): keyof typeof differences | undefined {
  if (definition.prometheusName !== undefined) return "clientNames";
  return familyName(definition) === definition.name.replaceAll(".", "_") ? undefined : "unit";
}

const isMeasured = ([, definition]: readonly [MetricKey, MetricDefinition]): boolean =>
  definition.source === undefined && definition.name !== catalogue.gcDuration.name;
const measured = metricDefinitions.filter(isMeasured);

/** A sample of the official one in our words. */
function inOurWords(sample: ParsedSample): ParsedSample {
  for (const [, definition] of measured) {
    const official = officialName(definition);
    const suffix = definition.kind === "histogram" ? sample.name.slice(official.length) : "";
    if (sample.name !== `${official}${suffix}` || !["", "_bucket", "_sum", "_count"].includes(suffix)) continue;
    const total = isCounter(definition.kind) ? "_total" : "";
    return { ...sample, name: `${familyName(definition)}${total}${suffix}`, labels: withFloatBound(sample.labels) };
  }
  throw new Error(`${sample.name} is of no metric`);
}

function withFloatBound(labels: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const bound = labels.get("le");
  return bound !== undefined && /^\d+$/.test(bound) ? new Map(labels).set("le", `${bound}.0`) : labels;
}

const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom('"', "\n", "\\", "\\n", "a\r\nb", "😀"));
const event = fc.constantFrom(...measured).chain(([key, definition]) =>
  fc.record({
    key: fc.constant(key),
    value: fc.oneof(fc.nat(100), fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constantFrom(0.5, 1, 10, 1e6)),
    attributes: fc.record(
      Object.fromEntries(
        Object.entries(definition.attributes).map(([name, values]) => [
          name,
          values === fromBoundedSource ? text : fc.oneof(fc.constantFrom(...values), text),
        ]),
      ),
    ),
  }),
);

type Event = { key: MetricKey; value: number; attributes: Record<string, string> };

/** Records it as our own code would; what is read at scrape is left to be read. */
function happen({ key, value, attributes }: Event): void {
  const { kind, name, unit, description }: MetricDefinition = catalogue[key];
  if (kind === "histogram") record(key as "trainingDuration", value, attributes as never);
  else if (kind === "counter" || kind === "upDownCounter") add(key as "trainingRuns", value, attributes as never);
  else {
    const described = { unit, description };
    const observable =
      kind === "gauge"
        ? meter().createObservableGauge(name, described)
        : meter().createObservableCounter(name, described);
    observable.addCallback((result) => result.observe(value, attributes));
  }
}

test.for(["openmetrics", "text"] as const)("%s holds the samples of the official serializer", async (format) => {
  const met = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 80 }), async (events) => {
      metrics.disable();
      const reader = new PrometheusExporter({ preventServerStart: true });
      const provider = new MeterProvider({ readers: [reader], views: metricViews(defaultLatencyBounds) });
      metrics.setGlobalMeterProvider(provider as ApiMeterProvider);
      for (const each of events) happen(each);
      const { resourceMetrics } = await reader.collect();
      const official = new PrometheusSerializer(undefined, false, undefined, true, true)
        .serialize(resourceMetrics)
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => inOurWords(parseSample(line)));
      const families = parseExposition(
        Buffer.from(writeExposition(resourceMetrics, { ...expositionOptions, role: "all", format })),
        format,
      );
      const ours = new Map(
        families.flatMap(({ samples }) => samples.map((sample) => [seriesKey(sample), sample.value])),
      );
      for (const sample of official) {
        const key = seriesKey(sample);
        expect([key, ours.get(key)]).toEqual([key, sample.value]);
        ours.delete(key);
        met.add(sample.name);
      }
      // What only ours has is in the table: zeroHistograms, aboutItself, target.
      const more = families.flatMap(({ type, samples }) =>
        samples.filter((sample) => ours.has(seriesKey(sample)) && !(type === "histogram" && sample.value === 0)),
      );
      const names = new Set(more.map((sample) => sample.name.replace(/^mlops_backend_metrics_.*/, "aboutItself")));
      expect([...names].toSorted()).toEqual(["aboutItself", "target_info"]);
    }),
    { numRuns: 60 },
  );
  expect(met.size).toBeGreaterThan(measured.length);
});

test("each name that differs has its reason", () => {
  const reasons = Object.fromEntries(measured.map(([, definition]) => [definition.name, reasonOfName(definition)]));
  expect(reasons["mlops.backend.training.duration"]).toBe("unit");
  expect(reasons["process.cpu.time"]).toBe("clientNames");
  expect(reasons["mlops.backend.training.runs"]).toBeUndefined();
  for (const [, definition] of measured) {
    const reason = reasonOfName(definition);
    const unit = ({ s: "_seconds", By: "_bytes", "1": "_ratio" } as Record<string, string>)[definition.unit] ?? "";
    if (reason === "unit") expect(familyName(definition)).toBe(`${definition.name.replaceAll(".", "_")}${unit}`);
  }
});
