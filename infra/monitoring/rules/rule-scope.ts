import { catalogue, type MetricKey } from "../../../otel/api/catalogue/catalogue.ts";
import { labelName, prometheusName } from "../../../otel/api/catalogue/metric-names.ts";

/** The job of the service's targets in prometheus.yml. The rules look at it alone: other services say http_server_*, too. */
export const backendJob = "backend";

/** As in prometheus.yml. */
export const scrapeSeconds = 15;

export interface RuleOptions {
  /** PROMETHEUS__METRIC_NAMESPACE and _SUBSYSTEM, as the service has them. */
  readonly prefix: string;
  /**
   * 1 in production. Less shortens, for tests, every range, `for`, `keep_firing_for`, group interval and constant number
   * of seconds of the rules (1/60: hours become minutes). What the service itself measures or is told in seconds (the
   * TTL interval, the age of the oldest run, latencies) stays, and so do shares and counts.
   */
  readonly timeScale: number;
  /** Where runbooks are read, from `runbookBase`, when the environment says so. */
  readonly runbooks?: string;
}

type AttributeOf<Key extends MetricKey> = Extract<keyof (typeof catalogue)[Key]["attributes"], string>;
/** Label matchers by OpenTelemetry name, each with its operator, e.g. `{ outcome: '="server_error"' }`. */
export type Matchers<Key extends MetricKey> = { readonly [Attribute in AttributeOf<Key>]?: string | readonly string[] };
type AnyMatchers = Readonly<Record<string, string | readonly string[]>>;

/** Writes the parts of expressions for one prefix and time scale. */
export interface RuleScope {
  /** `name{job="backend",…}`, from the catalogue. */
  select<Key extends MetricKey>(key: Key, matchers?: Matchers<Key>, suffix?: "_bucket" | "_count"): string;
  /** As `select`, with a matcher on a histogram's bound. */
  bucket<Key extends MetricKey>(key: Key, bound: number, matchers?: Matchers<Key>): string;
  /** What every replica reads the same from the database, once. */
  deployment<Key extends MetricKey>(key: Key, matchers?: Matchers<Key>): string;
  /**
   * How often a counter was counted up in so many seconds: whole things. The range is a scrape longer, so that it begins
   * with the last sample before; `rate` times the length takes out again what `increase` would add for that scrape.
   */
  happened(selector: string, seconds: number): string;
  /** A scaled time as Prometheus writes it, e.g. `1h30m`. */
  duration(seconds: number): string;
  /** A scaled time in seconds. */
  seconds(seconds: number): number;
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** A time as Prometheus writes it; parts of a millisecond are rounded. */
export function durationText(seconds: number): string {
  let leftMs = Math.max(1, Math.round(seconds * 1000));
  let text = "";
  for (const [unit, lengthMs] of units) {
    const count = Math.floor(leftMs / lengthMs);
    if (count > 0) text += `${count}${unit}`;
    leftMs -= count * lengthMs;
  }
  return text;
}

/** What an expression finds for each process, with how many processes it finds: one is ill, or all are. */
export const withCount = (expr: string): string =>
  `count by (job) (${expr})\n* on (job) group_right () group by (job, instance) (${expr})`;

/** What the alerts and recording rules are written with. */
export function ruleScope({ prefix, timeScale }: RuleOptions): RuleScope {
  function select(key: MetricKey, matchers: AnyMatchers, suffix: string): string {
    const own = Object.entries(matchers).flatMap(([attribute, match]) =>
      [match].flat().map((each) => `${attribute === "le" ? attribute : labelName(attribute)}${each}`),
    );
    return `${prometheusName(catalogue[key], prefix)}${suffix}{${[`job="${backendJob}"`, ...own].join(",")}}`;
  }
  return {
    select: (key, matchers = {}, suffix) => select(key, matchers as AnyMatchers, suffix ?? ""),
    bucket: (key, bound, matchers = {}) => select(key, { ...(matchers as AnyMatchers), le: `="${bound}"` }, "_bucket"),
    deployment: (key, matchers = {}) => `max without (instance) (${select(key, matchers as AnyMatchers, "")})`,
    happened: (selector, seconds) =>
      `${Number((seconds * timeScale).toFixed(3))} * rate(${selector}[${durationText((seconds + scrapeSeconds) * timeScale)}])`,
    duration: (seconds) => durationText(seconds * timeScale),
    seconds: (seconds) => Number((seconds * timeScale).toFixed(3)),
  };
}
