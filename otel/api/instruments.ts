import {
  type Counter,
  diag,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type UpDownCounter,
} from "@opentelemetry/api";
import { allowedAttributes, attributeSetLimit, combinationsOf } from "./catalogue/attribute-sets.ts";
import { catalogue, type MetricKey, metricDefinitions } from "./catalogue/catalogue.ts";
import { fromBoundedSource, type MetricDefinition, overflowAttribute } from "./catalogue/metric-definition.ts";
import { activeSampledSpan, exemplars } from "./exemplars.ts";

/** The one meter that all our instruments come from. */
export const meterName = "mlops-backend";

type KeyOf<Kind> = { [Key in MetricKey]: (typeof catalogue)[Key]["kind"] extends Kind ? Key : never }[MetricKey];
type ValueOf<Values> = Values extends readonly (infer Value extends string)[] ? Value : string;
type Declared<Key extends MetricKey> = (typeof catalogue)[Key]["attributes"];
/** Attributes of a metric, by their declared names and values; `{}` would let any key pass. */
export type AttributesOf<Key extends MetricKey> = keyof Declared<Key> extends never
  ? Readonly<Record<string, never>>
  : { readonly [Attribute in keyof Declared<Key>]: ValueOf<Declared<Key>[Attribute]> };

let provider: MeterProvider | undefined;
let instruments = new Map<MetricKey, Counter | UpDownCounter | Histogram>();

/** The meter of whatever provider is registered now; without one, everything recorded goes nowhere. */
export function meter(): Meter {
  return metrics.getMeter(meterName);
}

/** Attribute sets so far of the metrics that can grow. */
const seen = new Map<MetricKey, Set<string>>();

/**
 * The series limit, kept by ourselves: the SDK's holds between two collections only, so that a process that is scraped
 * could grow without end (tried: 300 sets under a limit of 200 after three scrapes, sdk-metrics 3.1.1).
 */
function limitedAttributes(
  key: MetricKey,
  given: Readonly<Record<string, string | number | undefined>>,
): Record<string, string | boolean> {
  const definition: MetricDefinition = catalogue[key];
  const attributes = allowedAttributes(definition, given);
  if (!Object.values(definition.attributes).includes(fromBoundedSource)) return attributes;
  let sets = seen.get(key);
  if (sets === undefined) {
    sets = new Set();
    seen.set(key, sets);
  }
  const set = JSON.stringify(Object.values(attributes));
  if (sets.has(set)) return attributes;
  if (sets.size >= attributeSetLimit(definition) - 1) return { [overflowAttribute]: true };
  sets.add(set);
  return attributes;
}

function make(definition: MetricDefinition): Counter | UpDownCounter | Histogram {
  const options = { unit: definition.unit, description: definition.description };
  if (definition.kind === "histogram") return meter().createHistogram(definition.name, options);
  if (definition.kind === "upDownCounter") return meter().createUpDownCounter(definition.name, options);
  return meter().createCounter(definition.name, options);
}

// The metrics API has no proxy: an instrument made before the provider is registered stays silent for ever. So they
// are made at first use, and anew when a test registers another provider.
function instrumentOf(key: MetricKey): Counter | UpDownCounter | Histogram {
  const current = metrics.getMeterProvider();
  if (current !== provider) {
    provider = current;
    instruments = new Map();
    seen.clear();
  }
  let instrument = instruments.get(key);
  if (instrument === undefined) {
    instrument = make(catalogue[key]);
    instruments.set(key, instrument);
  }
  return instrument;
}

/** Logs what a piece of telemetry threw, and nothing more: telemetry never steers. */
export function measurementFailed(error: unknown): void {
  try {
    diag.error("A measurement failed", error);
  } catch {
    // The logger itself is broken; the request must not be.
  }
}

/** Runs a piece of telemetry; its fault is logged and goes no further. */
export function guarded(record: () => void): void {
  try {
    record();
  } catch (error) {
    measurementFailed(error);
  }
}

/** What is measured within a sampled trace is offered as an exemplar; a span of our code is around it. */
function offerExemplar(key: MetricKey, value: number, attributes: Readonly<Record<string, unknown>>): void {
  const store = exemplars();
  const span = store && activeSampledSpan();
  if (span !== undefined)
    store?.slotsOf(catalogue[key], attributes).offer(span, value, { isError: false, weight: value });
}

/** Adds to a counter; attributes outside their sets become `other`. */
export function add<Key extends KeyOf<"counter" | "upDownCounter">>(
  key: Key,
  value: number,
  attributes: AttributesOf<Key>,
): void {
  if (!Number.isFinite(value)) {
    diag.warn(`${key}: ${value} is not a number to add`);
    return;
  }
  // The instrument first: for a new provider it forgets the sets so far.
  const instrument = instrumentOf(key) as Counter;
  const limited = limitedAttributes(key, attributes);
  instrument.add(value, limited);
  if (value > 0) offerExemplar(key, value, limited);
}

/** Records into a histogram; the SDK drops negative values without a word (seen on Node 24, November 2026), and NaN would spoil the sum for ever. */
export function record<Key extends KeyOf<"histogram">>(key: Key, value: number, attributes: AttributesOf<Key>): void {
  if (!Number.isFinite(value) || value < 0) {
    diag.warn(`${key}: ${value} is not a size or duration`);
    return;
  }
  const instrument = instrumentOf(key) as Histogram;
  const limited = limitedAttributes(key, attributes);
  instrument.record(value, limited);
  offerExemplar(key, value, limited);
}

/** Whether a process of that role has a metric from its start. */
export function isOfRole(definition: MetricDefinition, role: string): boolean {
  return definition.role === undefined || role === "all" || definition.role === role;
}

/** Shows counters with 0 over all their combinations, so that rate() sees the first event. */
export function startCountersAtZero(role: string): void {
  for (const [key, definition] of metricDefinitions) {
    if (definition.kind !== "counter" || !definition.fromStart || !isOfRole(definition, role)) continue;
    for (const attributes of combinationsOf(definition) ?? []) {
      guarded(() => (instrumentOf(key) as Counter).add(0, attributes));
    }
  }
}
