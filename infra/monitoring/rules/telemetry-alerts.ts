import { attributeSetLimit } from "../../../otel/api/catalogue/attribute-sets.ts";
import { catalogue } from "../../../otel/api/catalogue/catalogue.ts";
import { type AlertFamily, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { counterOf, repeated } from "./case-values.ts";

const file = "telemetry";
const each = (minutes: number, count: number): number[] => repeated(minutes, count);

/** The metrics that routes can make grow; the others have closed sets. */
const growing = ["httpRequestDuration", "httpRequestBodySize", "httpResponseBodySize", "httpRequests"] as const;
const suffixOf = (key: (typeof growing)[number]) => (catalogue[key].kind === "histogram" ? "_count" : "");
const nearShare = 0.8;

/** So many label sets of a metric, from that minute until that. */
const labelSets = (key: (typeof growing)[number], count: number, values: string) =>
  Array.from({ length: count }, (_, index) =>
    caseSeries(sampleName(key, suffixOf(key)), { instance: "a", http_route: `/${index}` }, values),
  );

const dropped = (values: string, instance = "a") =>
  caseSeries(sampleName("metricsDropped"), { instance, metric: sampleName("httpRequests") }, values);
const notExported = (signal: string, values: string, instance = "a") =>
  caseSeries(sampleName("telemetryExportDropped"), { instance, signal }, values);

/** Alerts on what the service measures and sends. */
export const telemetryAlerts: readonly AlertFamily[] = [
  alertFamily(
    file,
    "SeriesLimitNear",
    ({ select }) =>
      growing.map((key) => {
        const limit = attributeSetLimit(catalogue[key]);
        // Label sets are counted, not series: those of a histogram depend on how many buckets are set.
        const selector = suffixOf(key) === "" ? select(key) : select(key, {}, "_count");
        return {
          severity: "warning",
          labels: { metric: sampleName(key) },
          expr: `count by (job, instance) (${selector}) > ${limit * nearShare}`,
          forSeconds: 600,
          keepFiringForSeconds: settlingSeconds,
          summary: "A metric is about to reach its limit of label sets.",
          description: `{{ $labels.instance }} has {{ $value }} of at most ${limit} label sets of this metric; what comes beyond is not told apart any more.`,
          dashboard: "telemetry",
        };
      }),
    (...rules) => [
      ...growing.map((key, index) => {
        const limit = attributeSetLimit(catalogue[key]);
        const count = limit * nearShare + 1;
        return firingCase(`${key}: ${count} of ${limit}, until a restart`, labelSets(key, count, "2x14 stale"), {
          rule: rules[index]!,
          labels: { job: "backend", instance: "a" },
          description: rules[index]!.description.replace("{{ $labels.instance }}", "a").replace(
            "{{ $value }}",
            String(count),
          ),
          pendingAt: 9,
          firesAt: 10,
          stillAt: 19,
          goneAt: 20,
        });
      }),
      ...growing.map((key) => {
        const count = attributeSetLimit(catalogue[key]) * nearShare;
        return quietCase(`${key}: ${count}`, labelSets(key, count, "2x20"), 10, 20);
      }),
    ],
  ),
  alertFamily(
    file,
    "MetricsDropped",
    ({ select, happened }) => [
      {
        severity: "warning",
        expr: `sum by (job, metric) (${happened(select("metricsDropped"), 900)}) > 0`,
        forSeconds: 0,
        keepFiringForSeconds: settlingSeconds,
        summary: "Measurements are not told apart any more.",
        description:
          '{{ $value | printf "%.0f" }} measurements of {{ $labels.metric }} went into its overflow series within 15 minutes.',
        dashboard: "telemetry",
      },
    ],
    (rule) => [
      firingCase(
        "one on each of two replicas, then none",
        [dropped(counterOf([0, 0, 0, 1, ...each(40, 0)], 0)), dropped(counterOf([0, 0, 0, 1, ...each(40, 0)], 0), "b")],
        {
          rule,
          labels: { job: "backend", metric: sampleName("httpRequests") },
          description: rule.description.replace(/{{ \$value.*?}}/, "2").replace(/{{.*}}/, sampleName("httpRequests")),
          pendingAt: 3,
          firesAt: 4,
          stillAt: 23,
          goneAt: 24,
        },
      ),
      firingCase("a single one", [dropped(counterOf([0, 0, 0, 1, ...each(10, 0)], 0))], {
        rule,
        labels: { job: "backend", metric: sampleName("httpRequests") },
        description: rule.description.replace(/{{ \$value.*?}}/, "1").replace(/{{.*}}/, sampleName("httpRequests")),
        pendingAt: 3,
        firesAt: 4,
      }),
      quietCase("dropped long ago, and a restart", [dropped("500x10 0x10")], 5, 15),
    ],
  ),
  alertFamily(
    file,
    "TelemetryExportFailing",
    ({ select, happened }) => [
      {
        severity: "warning",
        expr: `sum by (job, signal) (${happened(select("telemetryExportDropped"), 300)}) > 0`,
        // A collector that restarts may lose a batch: only what goes on is worth a look.
        forSeconds: 600,
        keepFiringForSeconds: settlingSeconds,
        summary: "Traces, logs or metrics do not reach where they are sent.",
        description: '{{ $value | printf "%.0f" }} items ({{ $labels.signal }}) were dropped within 5 minutes.',
        dashboard: "telemetry",
      },
    ],
    (rule) => [
      firingCase(
        "some each minute, then none",
        [
          notExported("traces", counterOf([...each(15, 2), ...each(30, 0)])),
          notExported("traces", counterOf([...each(15, 1), ...each(30, 0)]), "b"),
          notExported("logs", "0x45"),
        ],
        {
          rule,
          labels: { job: "backend", signal: "traces" },
          description: "15 items (traces) were dropped within 5 minutes.",
          pendingAt: 10,
          firesAt: 11,
          stillAt: 24,
          goneAt: 25,
          stillDescription: "3 items (traces) were dropped within 5 minutes.",
        },
      ),
      firingCase(
        "logs alone, while traces get through",
        [notExported("logs", counterOf([...each(15, 1), ...each(30, 0)])), notExported("traces", "500x45")],
        {
          rule,
          labels: { job: "backend", signal: "logs" },
          description: "5 items (logs) were dropped within 5 minutes.",
          pendingAt: 10,
          firesAt: 11,
          stillAt: 24,
          goneAt: 25,
          stillDescription: "1 items (logs) were dropped within 5 minutes.",
        },
      ),
      quietCase("one batch", [notExported("traces", counterOf([0, 0, 500, ...each(30, 0)]))], 5, 13, 20),
      quietCase("none", [notExported("logs", "500x30")], 11, 30),
    ],
  ),
];
