import { metricDefinitions } from "../../../otel/api/catalogue/catalogue.ts";
import { prometheusName } from "../../../otel/api/catalogue/metric-names.ts";
import { sentSeriesOfProcess } from "../remote-write.ts";
import { knownCauseSeries } from "../rules/known-causes.ts";
import type { RuleGroup } from "../rules/rule-files.ts";
import { scrapeSeconds } from "../rules/rule-scope.ts";
import { tableRow } from "./generated-part.ts";

const daySeconds = 86_400;
const retentionDays = 35;
/** Prometheus' manual: 1 to 2. */
const bytesOfSample = 2;
/** up, scrape_duration_seconds, scrape_samples_scraped, scrape_samples_post_metric_relabeling, scrape_series_added. */
const seriesOfTarget = 5;

/** Series of each metric, as series-budget.json has them. */
type SeriesCounts = Readonly<Record<string, number>>;

/** What was counted: a process with both roles after the demo, and a worker, whom probes and scrapes ask over HTTP, too. */
export interface CountedSeries {
  readonly afterDemo: SeriesCounts;
  readonly freshWorker: SeriesCounts;
}

/** A deployment by its processes; `all` does the work of both roles. */
interface Processes {
  readonly all?: number;
  readonly api?: number;
  readonly worker?: number;
}

const roleOf = new Map(metricDefinitions.map(([, definition]) => [prometheusName(definition), definition.role]));

/** How many series a process of that role has. */
export function seriesOfRole({ afterDemo, freshWorker }: CountedSeries, role: keyof Processes): number {
  const ofBoth = (name: string): boolean => role === "all" || (roleOf.get(name) ?? role) === role;
  const own = Object.entries(afterDemo).filter(([name]) => ofBoth(name));
  const others = role === "worker" ? Object.entries(freshWorker).filter(([name]) => !ofBoth(name)) : [];
  return [...own, ...others].reduce((sum, [, count]) => sum + count, 0);
}

/** Samples a day of a series that is scraped. */
export const scrapedSamplesADay = daySeconds / scrapeSeconds;

const secondsOf = (interval: string): number => {
  const [, count, unit] = /^(\d+)(s|m)$/.exec(interval) ?? [];
  if (count === undefined) throw new Error(`${interval} is no interval of s or m`);
  return Number(count) * (unit === "m" ? 60 : 1);
};

/** What the recording rules write, for one job: each is a series of its own. */
function recorded(groups: readonly RuleGroup[]): { series: number; samplesADay: number } {
  // What explains an alert is there for as long as it does: mostly never.
  const isKept = (rule: RuleGroup["rules"][number]): boolean => "record" in rule && rule.record !== knownCauseSeries;
  const intervals = groups.flatMap(({ interval, rules }) =>
    rules.filter(isKept).map(() => (interval === undefined ? scrapeSeconds : secondsOf(interval))),
  );
  return {
    series: intervals.length,
    samplesADay: intervals.reduce((sum, seconds) => sum + daySeconds / seconds, 0),
  };
}

/** What a deployment costs in Prometheus, and what of it is sent by remote write. */
export function sampleCosts(counts: CountedSeries, groups: readonly RuleGroup[], processes: Processes) {
  const rules = recorded(groups);
  const roles = Object.entries(processes) as [keyof Processes, number][];
  const targets = roles.reduce((sum, [, count]) => sum + count, 0);
  const scraped = roles.reduce((sum, [role, count]) => sum + count * (seriesOfRole(counts, role) + seriesOfTarget), 0);
  const sentOfTargets = targets * sentSeriesOfProcess;
  const samplesADay = scraped * scrapedSamplesADay + rules.samplesADay;
  return {
    series: scraped + rules.series,
    samplesADay,
    retainedBytes: samplesADay * retentionDays * bytesOfSample,
    sentSeries: sentOfTargets + rules.series,
    sentSamplesADay: sentOfTargets * scrapedSamplesADay + rules.samplesADay,
  };
}

const deployments: readonly [string, Processes][] = [
  ["1 process with both roles", { all: 1 }],
  ["2 api, 1 worker: the chart's default", { api: 2, worker: 1 }],
  ["6 api, 10 workers: the chart's most", { api: 6, worker: 10 }],
];

/** 4.1 million, 310,000; the last digits mean nothing. */
export function roundCount(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} million` : (Math.round(count / 1000) * 1000).toLocaleString("en");
}

/** The table of docs/operations.md. */
export function sampleCostTable(counts: CountedSeries, groups: readonly RuleGroup[]): string[] {
  const [all, api, worker] = (["all", "api", "worker"] as const).map((role) => seriesOfRole(counts, role));
  return [
    `A process with both roles has ${all} series, an api ${api}, a worker ${worker} (measured, after the demo). A scrape every ${scrapeSeconds} s makes`,
    `${scrapedSamplesADay.toLocaleString("en")} samples a day of each. Prometheus adds ${seriesOfTarget} series a target, and the rules ${recorded(groups).series} a job, however many`,
    "processes there are.",
    "",
    tableRow(
      "deployment",
      "series",
      "samples a day",
      `${retentionDays} days on disk, at most`,
      "series sent",
      "samples sent a day",
      "share sent",
    ),
    "|---|--:|--:|--:|--:|--:|--:|",
    ...deployments.map(([name, processes]) => {
      const cost = sampleCosts(counts, groups, processes);
      return tableRow(
        name,
        cost.series.toLocaleString("en"),
        roundCount(cost.samplesADay),
        `${(cost.retainedBytes / 1e9).toFixed(1)} GB`,
        cost.sentSeries.toLocaleString("en"),
        roundCount(cost.sentSamplesADay),
        `${((100 * cost.sentSamplesADay) / cost.samplesADay).toFixed(1)} %`,
      );
    }),
  ];
}
