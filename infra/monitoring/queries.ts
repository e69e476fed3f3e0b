import { catalogue, labelName, type MetricKey, prometheusName } from "../../otel/catalogue.ts";

/** Metrics of one kind or scope, so that e.g. a rate of a gauge is a type error. */
type KeyWith<Part> = { [Key in MetricKey]: (typeof catalogue)[Key] extends Part ? Key : never }[MetricKey];
type CounterKey = KeyWith<{ kind: "counter" | "observableCounter" }>;
type HistogramKey = KeyWith<{ kind: "histogram" }>;
type ProcessGaugeKey = KeyWith<{ kind: "gauge" | "upDownCounter"; scope: "process" }>;
type DeploymentGaugeKey = KeyWith<{ kind: "gauge"; scope: "deployment" }>;
/** The declared attributes of a metric, by their OpenTelemetry names. */
type AttributeOf<Key extends MetricKey> = Extract<keyof (typeof catalogue)[Key]["attributes"], string>;
type Matchers<Key extends MetricKey> = { readonly [Attribute in AttributeOf<Key>]?: string };

/** Every query names the job and instance chosen in the dashboard. */
const chosen = 'job=~"$job",instance=~"$instance"';

function selector<Key extends MetricKey>(key: Key, suffix: string, matchers: Matchers<Key> = {}): string {
  const own = Object.entries<string | undefined>(matchers).map(
    ([attribute, match]) => `${labelName(attribute)}${match}`,
  );
  return `${prometheusName(catalogue[key])}${suffix}{${[chosen, ...own].join(",")}}`;
}

const by = (attributes: readonly string[]): string =>
  attributes.length === 0 ? "" : ` by (${attributes.map(labelName).join(", ")})`;

/** Events a second. */
export function rate<Key extends CounterKey>(
  key: Key,
  attributes: readonly AttributeOf<Key>[] = [],
  matchers?: Matchers<Key>,
): string {
  return `sum${by(attributes)} (rate(${selector(key, "", matchers)}[$__rate_interval]))`;
}

/** Events within the dashboard's time range. */
export function increase<Key extends CounterKey>(
  key: Key,
  attributes: readonly AttributeOf<Key>[] = [],
  matchers?: Matchers<Key>,
): string {
  return `sum${by(attributes)} (increase(${selector(key, "", matchers)}[$__range]))`;
}

/** How often a histogram was recorded, a second. */
export function histogramRate<Key extends HistogramKey>(
  key: Key,
  attributes: readonly AttributeOf<Key>[] = [],
  matchers?: Matchers<Key>,
): string {
  return `sum${by(attributes)} (rate(${selector(key, "_count", matchers)}[$__rate_interval]))`;
}

/** A quantile over all processes. */
export function quantile<Key extends HistogramKey>(
  share: number,
  key: Key,
  attributes: readonly AttributeOf<Key>[] = [],
  matchers?: Matchers<Key>,
): string {
  const labels = ["le", ...attributes.map(labelName)].join(", ");
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${selector(key, "_bucket", matchers)}[$__rate_interval])))`;
}

/** Requests whose time is the service's own: an event stream lasts as long as somebody follows it. */
export const answered = { "http.route": '!~".*/events"' } as const;

/** The mean over all processes. */
export function mean<Key extends HistogramKey>(key: Key, attributes: readonly AttributeOf<Key>[] = []): string {
  const total = `sum${by(attributes)} (rate(${selector(key, "_sum")}[$__rate_interval]))`;
  return `${total} / ${histogramRate(key, attributes)}`;
}

/** What one process reads of itself, a line an instance. */
export function processGauge<Key extends ProcessGaugeKey>(key: Key, matchers?: Matchers<Key>): string {
  return selector(key, "", matchers);
}

/** Summed over the processes. */
export function processSum<Key extends ProcessGaugeKey>(
  key: Key,
  attributes: readonly AttributeOf<Key>[] = [],
): string {
  return `sum${by(attributes)} (${selector(key, "")})`;
}

/** CPU or events a second, a line an instance. */
export function rateOfInstance<Key extends CounterKey>(key: Key): string {
  return `sum by (instance) (rate(${selector(key, "")}[$__rate_interval]))`;
}

/** What every replica reads the same from the database: never summed. */
export function deploymentGauge<Key extends DeploymentGaugeKey>(key: Key): string {
  return `max without (instance) (${selector(key, "")})`;
}

/** The selector of the variables' own query. */
export const jobsQuery = `label_values(${prometheusName(catalogue.buildInfo)}, job)`;
export const instancesQuery = `label_values(${prometheusName(catalogue.buildInfo)}{job=~"$job"}, instance)`;
/** A legend part of an attribute, e.g. `{{http_route}}`. */
export const legendOf = (attribute: string): string => `{{${labelName(attribute)}}}`;
