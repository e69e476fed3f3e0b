import { attributeSetLimit, seriesCeiling } from "../../../otel/api/catalogue/attribute-sets.ts";
import { metricDefinitions } from "../../../otel/api/catalogue/catalogue.ts";
import { boundsOf, fromBoundedSource, type MetricDefinition } from "../../../otel/api/catalogue/metric-definition.ts";
import { prometheusName } from "../../../otel/api/catalogue/metric-names.ts";
import { scrapeSeconds } from "../rules/rule-scope.ts";
import { scrapedSamplesADay } from "./sample-costs.ts";

interface SeriesBudget {
  readonly freshStart: Readonly<Record<string, number>>;
  readonly afterDemo: Readonly<Record<string, number>>;
}

/** What the official HTTP instrumentation and ours say of the same traffic; measured by a test. */
export interface HttpDifference {
  readonly traffic: string;
  readonly official: string;
  readonly ours: string;
  readonly reason: string;
}

const escapeCell = (text: string): string => text.replace(/\|/g, "\\|");

function describeAttributes(definition: MetricDefinition): string {
  const attributes = Object.entries(definition.attributes).map(([attribute, values]) => {
    const label = attribute.replace(/[^a-zA-Z0-9_]/g, "_");
    if (values === fromBoundedSource) return `\`${label}\``;
    const shown =
      values.length > 25 ? [`${values.length} values`] : values.map((value) => (value === "" ? '""' : value));
    return `\`${label}\`: ${shown.join(", ")}`;
  });
  return attributes.length === 0 ? "–" : attributes.join("; ");
}

function row(definition: MetricDefinition): string {
  const kind = {
    counter: "counter",
    observableCounter: "counter",
    upDownCounter: "gauge",
    gauge: "gauge",
    histogram: "histogram",
  }[definition.kind];
  const bounds = definition.kind === "histogram" ? `, bounds ${boundsOf(definition).join(", ")}` : "";
  const cells = [
    `\`${prometheusName(definition)}\``,
    `${kind}${bounds}`,
    `${definition.description}${definition.fromStart ? " From the start with 0." : ""}`,
    describeAttributes(definition),
    definition.scope,
    definition.role ?? "all",
    String(seriesCeiling(definition)),
    Object.keys(definition.attributes).length === 0 ? "1" : String(attributeSetLimit(definition)),
  ];
  return `| ${cells.map(escapeCell).join(" | ")} |`;
}

function budgetRows({ freshStart, afterDemo }: SeriesBudget): string[] {
  const names = [...new Set([...Object.keys(freshStart), ...Object.keys(afterDemo)])].toSorted();
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  const samples = (series: number): string => (series * scrapedSamplesADay).toLocaleString("en");
  return [
    ...names.map(
      (name) =>
        `| \`${name}\` | ${freshStart[name] ?? 0} | ${afterDemo[name] ?? 0} | ${samples(afterDemo[name] ?? 0)} |`,
    ),
    `| all | ${sum(freshStart)} | ${sum(afterDemo)} | ${samples(sum(afterDemo))} |`,
  ];
}

/** docs/metrics.md, made from the catalogue and the measured series; pure. */
export function metricsDocument(budget: SeriesBudget, differences: readonly HttpDifference[]): string {
  const total = metricDefinitions.reduce((sum, [, definition]) => sum + seriesCeiling(definition), 0);
  return `${[
    "<!-- Generated from otel/api/catalogue/ by npm run monitoring:generate. Do not edit. -->",
    "# Metrics",
    "",
    "Every metric of the service with its default prefix and bounds. A value outside its closed set becomes `other`.",
    "Metrics of scope `deployment` are the same on every replica: query them with `max without (instance)`, never with `sum`.",
    "Role says which processes have the metric from the start (`SERVICE_ROLE`).",
    "",
    "| name | kind | meaning | labels | scope | role | series at most | label sets at most |",
    "|---|---|---|---|---|---|--:|--:|",
    ...metricDefinitions.map(([, definition]) => row(definition)),
    "",
    `All ceilings together: ${total} series a process, and \`target_info\`.`,
    'What goes beyond a metric\'s label sets is folded into one series with `otel_metric_overflow="true"`',
    "and counted by `mlops_backend_metrics_dropped_total`.",
    "",
    "## Series, counted",
    "",
    "At the first scrape of a fresh service, and after `npm run demo`. The tests hold the service to this table",
    "(`infra/monitoring/series-budget.json`); `UPDATE_SERIES_BUDGET=1` makes them write it anew.",
    `Samples a day are those of one process that is scraped every ${scrapeSeconds} s; of whole deployments:`,
    "[operations.md](operations.md#what-it-costs).",
    "",
    "| metric | fresh start | after the demo | samples a day of these |",
    "|---|--:|--:|--:|",
    ...budgetRows(budget),
    "",
    "## HTTP: OpenTelemetry's own instrumentation, and ours",
    "",
    "What each adds to its metrics for the same traffic on the same application (`tests/unit/otel/official-http.long.test.ts`",
    "sends it; `UPDATE_OFFICIAL_HTTP=1` writes `infra/monitoring/official-http.json` anew). Official: instrumentation-http with",
    "instrumentation-express for the route. Shown are method, route, status and error type of the duration, and bytes.",
    "",
    "| traffic | official | ours | why they differ |",
    "|---|---|---|---|",
    ...differences.map(
      ({ traffic, official, ours, reason }) => `| ${traffic} | ${official} | ${ours} | ${reason || "they agree"} |`,
    ),
  ].join("\n")}\n`;
}
