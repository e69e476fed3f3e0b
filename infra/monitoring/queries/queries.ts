import { seriesCeiling } from "../../../otel/api/catalogue/attribute-sets.ts";
import { catalogue, type MetricKey } from "../../../otel/api/catalogue/catalogue.ts";
import type { fromBoundedSource } from "../../../otel/api/catalogue/metric-definition.ts";
import { labelName, prometheusName } from "../../../otel/api/catalogue/metric-names.ts";
import type { TelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import type { ObjectiveKey } from "../objectives.ts";
import { backendJob } from "../rules/rule-scope.ts";
import type { PrometheusSeriesName } from "./prometheus-series.ts";
import type { RecordedSeriesName } from "./recorded-series.ts";

/** Metrics of one kind or scope, so that e.g. a rate of a gauge is a type error. */
type KeyWith<Part> = { [Key in MetricKey]: (typeof catalogue)[Key] extends Part ? Key : never }[MetricKey];
type CounterKey = KeyWith<{ kind: "counter" | "observableCounter" }>;
type HistogramKey = KeyWith<{ kind: "histogram" }>;
type ProcessGaugeKey = KeyWith<{ kind: "gauge" | "upDownCounter"; scope: "process" }>;
/** With a label set for each route: these can grow. */
type GrowingKey = KeyWith<{ attributes: { "http.route": typeof fromBoundedSource } }>;
type DeploymentGaugeKey = KeyWith<{ kind: "gauge"; scope: "deployment" }>;
/** The declared attributes of a metric, by their OpenTelemetry names. */
type AttributeOf<Key extends MetricKey> = Extract<keyof (typeof catalogue)[Key]["attributes"], string>;
/** Each with its operator, e.g. `{ outcome: '="failed"' }`; several of one label must all hold. */
type Matchers<Key extends MetricKey> = { readonly [Attribute in AttributeOf<Key>]?: string | readonly string[] };

/** Every query names the job and instance chosen in the dashboard. */
export const chosenTarget = 'job=~"$job",instance=~"$instance"';
/**
 * The jobs that are this service: those that had our metrics in the time range, and the one that the rules look at, also
 * while none of its processes answers. Prometheus, Alertmanager and others have figures of the same names (`process_*`,
 * `scrape_*`, `http_server_*`): with «All» chosen, none of theirs may be among ours.
 */
const ownJobs = (buildInfo: string): string =>
  `query_result(group by (job) (last_over_time(${buildInfo}[$__range])) or group by (job) (up{job="${backendJob}"}))`;
/** Alerts of the chosen jobs, of what watches them, and of rules that add over jobs; the one that always fires aside. */
const shownAlerts = 'alertname!="Watchdog",job=~"$job|prometheus|alertmanager|"';
const alertLabels = "severity, alertname, objective, instance";
const firing = `ALERTS{alertstate="firing",${shownAlerts}}`;
/** Requests whose time is the service's own: an event stream lasts as long as somebody follows it. */
export const answered = { "http.route": '!~".*/events"' } as const;
/** A legend part of an attribute, e.g. `{{http_route}}`. */
export const legendOf = (attribute: string): string => `{{${labelName(attribute)}}}`;

/**
 * How many in each bar, from how many a second: every event is in one bar. The range of the rate is a scrape longer than
 * the step, or what falls between two bars would be in none; `increase` would count that scrape twice.
 */
const perStep = (rate: string): string => `${rate} * $__interval_ms / 1000`;

/**
 * How many within the dashboard's time range: whole things, so what the counter has gone up by. `increase` extrapolates to
 * the range's ends, and shows 193 where 192 were; it stands in where the counter began anew.
 */
const wholeIncrease = (labels: string, selector: string): string => {
  const over = (name: string): string => `${name}(${selector}[$__range])`;
  return (
    `round(sum${labels} ((${over("max_over_time")} - ${over("min_over_time")} unless ${over("resets")} > 0)` +
    ` or ${over("increase")}))`
  );
};

const by = (attributes: readonly string[]): string =>
  attributes.length === 0 ? "" : ` by (${attributes.map(labelName).join(", ")})`;

const growing = {
  httpRequestDuration: "Request durations",
  httpRequestBodySize: "Request sizes",
  httpResponseBodySize: "Response sizes",
  httpRequests: "Requests by outcome",
} as const satisfies Record<GrowingKey, string>;

/**
 * The queries of dashboards, for a service with this prefix and these bounds. Metrics and attributes are named by their keys in the
 * catalogue, so one that is renamed there doesn't compile here.
 */
export function queriesFor({ prefix, latencyBounds }: Pick<TelemetrySettings, "prefix" | "latencyBounds">) {
  function selector<Key extends MetricKey>(key: Key, suffix = "", matchers: Matchers<Key> = {}): string {
    const own = Object.entries<string | readonly string[] | undefined>(matchers).flatMap(([attribute, match = []]) =>
      [match].flat().map((each) => `${labelName(attribute)}${each}`),
    );
    return `${prometheusName(catalogue[key], prefix)}${suffix}{${[chosenTarget, ...own].join(",")}}`;
  }

  /** How often a histogram was recorded, a second. */
  function histogramRate<Key extends HistogramKey>(
    key: Key,
    attributes: readonly AttributeOf<Key>[] = [],
    matchers?: Matchers<Key>,
  ): string {
    return `sum${by(attributes)} (rate(${selector(key, "_count", matchers)}[$__rate_interval]))`;
  }

  /** What a histogram adds up to, a second: seconds a second of durations, bytes a second of sizes. */
  function sumRate<Key extends HistogramKey>(key: Key, attributes: readonly AttributeOf<Key>[] = []): string {
    return `sum${by(attributes)} (rate(${selector(key, "_sum")}[$__rate_interval]))`;
  }

  function rate<Key extends CounterKey>(
    key: Key,
    attributes: readonly AttributeOf<Key>[] = [],
    matchers?: Matchers<Key>,
  ): string {
    return `sum${by(attributes)} (rate(${selector(key, "", matchers)}[$__rate_interval]))`;
  }

  const versions = `max by (job, version, revision) (${selector("buildInfo")}`;

  return {
    /** Events a second. */
    rate,

    /** Events in each bar of a graph. */
    counts<Key extends CounterKey>(
      key: Key,
      attributes: readonly AttributeOf<Key>[] = [],
      matchers?: Matchers<Key>,
    ): string {
      return perStep(rate(key, attributes, matchers));
    },

    /** Events within the dashboard's time range, for one number: drawn as a line, each point would have the whole range before it. */
    increase<Key extends CounterKey>(
      key: Key,
      attributes: readonly AttributeOf<Key>[] = [],
      matchers?: Matchers<Key>,
    ): string {
      return wholeIncrease(by(attributes), selector(key, "", matchers));
    },

    histogramRate,
    sumRate,

    /** The same of the process where it is most: seconds a second of several are no share of time. */
    highestSumRate<Key extends HistogramKey>(key: Key, attributes: readonly AttributeOf<Key>[]): string {
      return `max${by(attributes)} (rate(${selector(key, "_sum")}[$__rate_interval]))`;
    },

    /** A quantile over all processes; of nothing it is NaN, which would be drawn as an empty panel without its reason. */
    quantile<Key extends HistogramKey>(
      share: number,
      key: Key,
      attributes: readonly AttributeOf<Key>[] = [],
      matchers?: Matchers<Key>,
    ): string {
      const labels = ["le", ...attributes.map(labelName)].join(", ");
      return `(histogram_quantile(${share}, sum by (${labels}) (rate(${selector(key, "_bucket", matchers)}[$__rate_interval]))) >= 0)`;
    },

    /** The mean over all processes; absent where nothing was recorded. */
    mean<Key extends HistogramKey>(key: Key, attributes: readonly AttributeOf<Key>[] = []): string {
      return `${sumRate(key, attributes)} / (${histogramRate(key, attributes)} > 0)`;
    },

    /** Events of each bucket, for a heat map. */
    buckets<Key extends HistogramKey>(key: Key, matchers?: Matchers<Key>): string {
      return `sum by (le) (increase(${selector(key, "_bucket", matchers)}[$__rate_interval]))`;
    },

    /** The share of what was recorded in the time range that is at most `bound`, which the histogram must have. */
    shareWithin<Key extends HistogramKey>(bound: number, key: Key): string {
      const within = selector(key, "_bucket").replace("{", `{le="${bound}",`);
      return `sum (increase(${within}[$__range])) / (sum (increase(${selector(key, "_count")}[$__range])) > 0)`;
    },

    /** What one process reads of itself, a line an instance. */
    processGauge<Key extends ProcessGaugeKey>(key: Key, matchers?: Matchers<Key>): string {
      return selector(key, "", matchers);
    },

    /** Summed over the processes. */
    processSum<Key extends ProcessGaugeKey>(
      key: Key,
      attributes: readonly AttributeOf<Key>[] = [],
      matchers?: Matchers<Key>,
    ): string {
      return `sum${by(attributes)} (${selector(key, "", matchers)})`;
    },

    /** CPU or events a second, a line an instance. */
    rateOfInstance<Key extends CounterKey>(key: Key): string {
      return `sum by (instance) (rate(${selector(key)}[$__rate_interval]))`;
    },

    /** How often a figure of a process changed in the time range, a line an instance. */
    changes<Key extends ProcessGaugeKey>(key: Key): string {
      return `changes(${selector(key)}[$__range])`;
    },

    /** What every replica reads the same from the database: never summed. */
    deploymentGauge<Key extends DeploymentGaugeKey>(key: Key, matchers?: Matchers<Key>): string {
      return `max without (instance) (${selector(key, "", matchers)})`;
    },

    /** How much of its series limit each metric that can grow has used, where it is most, with names in words. */
    seriesShares: (Object.keys(growing) as GrowingKey[]).map((key) => {
      const series = selector("metricsSeries", "", { metric: `="${prometheusName(catalogue[key], prefix)}"` });
      return [growing[key], `max(${series}) / ${seriesCeiling(catalogue[key], latencyBounds)}`] as const;
    }),

    /** Targets that answer without our metrics. */
    blindTargets:
      `count(up{job=~"$job"} == 1` +
      ` unless on (job, instance) ${prometheusName(catalogue.buildInfo, prefix)}) or vector(0)`,

    /** What Prometheus or Alertmanager says of itself or of a target. */
    ofPrometheus(name: PrometheusSeriesName, matchers = ""): string {
      return matchers === "" ? name : `${name}{${matchers}}`;
    },

    /** The same of a counter, in each bar of a graph. */
    countsOfPrometheus(name: PrometheusSeriesName, labels = ""): string {
      return perStep(`sum${labels} (rate(${name}[$__rate_interval]))`);
    },

    /** The same within the dashboard's time range, for one number. */
    increaseOfPrometheus(name: PrometheusSeriesName): string {
      return wholeIncrease("", name);
    },

    /**
     * Notifications to people, in each bar, by the ways that were ever taken: Alertmanager counts those that it knows, with
     * 0. A webhook is the dead-man's switch, which is no one.
     */
    toldByWay(name: "alertmanager_notifications_total" | "alertmanager_notifications_failed_total"): string {
      const people = '{integration!="webhook"}';
      return (
        `${perStep(`sum by (integration) (rate(${name}${people}[$__rate_interval]))`)}` +
        ` and on (integration) sum by (integration) (increase(alertmanager_notifications_total${people}[$__range])) > 0`
      );
    },

    /** What the recording rules keep of all objectives, or of one. */
    ofObjectives(name: RecordedSeriesName, objective?: ObjectiveKey): string {
      return `${name}{job=~"$job"${objective === undefined ? "" : `,objective="${objective}"`}}`;
    },

    /** How many alerts fire; 0 when none does. */
    firingCount: `count(${firing}) or vector(0)`,

    /** What fires, and for how many seconds it has been true. */
    firingSince:
      `(time() - max by (${alertLabels}) (ALERTS_FOR_STATE{${shownAlerts}}))` +
      ` and max by (${alertLabels}) (${firing})`,

    /** What the variables of a dashboard are filled from. */
    variables: {
      job: ownJobs(prometheusName(catalogue.buildInfo, prefix)),
      instance: `label_values(${prometheusName(catalogue.buildInfo, prefix)}{job=~"$job"}, instance)`,
    },

    annotations: {
      /** Unix time in milliseconds, as annotations have it. */
      restarts: `${selector("processStartTime")} * 1000`,
      /** A version or revision that was not there five minutes before. */
      deployments: `${versions}) unless ${versions} offset 5m)`,
      firingAlerts: `max by (alertname, severity, objective) (${firing})`,
    },
  };
}

export type Queries = ReturnType<typeof queriesFor>;
