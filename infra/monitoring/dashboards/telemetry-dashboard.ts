import { chosenTarget, legendOf, type Queries } from "../queries/queries.ts";
import type { DashboardText } from "./build-dashboard.ts";
import { bars, graph, number, whole } from "./panels.ts";

const answers = `**Can the other dashboards be believed?** Targets and their scrapes, series and what was dropped, rules, notifications, and Prometheus' own room.
A target that is up and *blind* answers without our metrics: another prefix, or no telemetry. A failed notification can't announce itself; look here, and at the dead-man's switch.`;

/** Everything between the measurement and the page that wakes somebody. */
export function telemetryDashboard(query: Queries): DashboardText {
  const instance = legendOf("instance");
  const notScraped = "No process of the backend is scraped";
  const noPrometheus = "Prometheus does not scrape itself";
  const ofChosenJob = 'job=~"$job"';

  return {
    uid: "mlops-backend-telemetry",
    description:
      "Targets, samples a scrape, series against their limits, drops, rules, notifications, Prometheus' room.",
    answers,
    panels: [
      number({
        title: "Targets down",
        description: "Targets of the chosen jobs that Prometheus can't scrape.",
        unit: whole,
        noValue: "Prometheus does not answer",
        colours: ["green", [1, "red"]],
        targets: [["Down", `count(${query.ofPrometheus("up", ofChosenJob)} == 0) or vector(0)`]],
      }),
      number({
        title: "Targets up, but blind",
        description: "They answer without our metrics: another prefix, or something else listens there.",
        unit: whole,
        noValue: "Prometheus does not answer",
        colours: ["green", [1, "red"]],
        targets: [["Blind", query.blindTargets]],
      }),
      number({
        title: "Samples a scrape",
        description: "The most of one process; after much use about 1,000 are expected.",
        unit: whole,
        noValue: notScraped,
        colours: ["green", [2_000, "orange"], [10_000, "red"]],
        targets: [["Samples", `max(${query.ofPrometheus("scrape_samples_scraped", chosenTarget)})`]],
      }),
      number({
        title: "Dropped measurements",
        description: "In the time range, since their metric had reached its limit of series.",
        unit: whole,
        noValue: notScraped,
        colours: ["green", [1, "red"]],
        targets: [["Dropped", query.increase("metricsDropped")]],
      }),
      number({
        title: "Failed rule evaluations",
        description: "In the time range. A rule that fails alerts nobody.",
        unit: whole,
        noValue: noPrometheus,
        colours: ["green", [1, "red"]],
        targets: [["Failed", query.increaseOfPrometheus("prometheus_rule_evaluation_failures_total")]],
      }),
      number({
        title: "Failed notifications",
        description: "In the time range, from Prometheus to Alertmanager and from there to people.",
        unit: whole,
        noValue: "Prometheus does not answer",
        colours: ["green", [1, "red"]],
        targets: [
          [
            "Failed",
            `(${query.increaseOfPrometheus("prometheus_notifications_errors_total")} or vector(0)) + (${query.increaseOfPrometheus("alertmanager_notifications_failed_total")} or vector(0))`,
          ],
        ],
      }),
      graph({
        title: "Targets",
        description: "1: the last scrape went well; 0: it did not.",
        unit: whole,
        max: 1,
        noValue: "Prometheus has no target of this job",
        colours: ["red", [1, "green"]],
        targets: [[`${legendOf("job")} ${instance}`, query.ofPrometheus("up", ofChosenJob)]],
      }),
      graph({
        title: "Samples a scrape, by process",
        description: "At 20,000 Prometheus refuses the whole scrape (sample_limit).",
        unit: whole,
        noValue: notScraped,
        targets: [[instance, query.ofPrometheus("scrape_samples_scraped", chosenTarget)]],
      }),
      graph({
        title: "Duration of scrapes",
        description: "As Prometheus sees them, beside the time to collect and write; at 10 s a scrape is given up.",
        unit: "s",
        noValue: notScraped,
        targets: [
          [`Scrape, ${instance}`, query.ofPrometheus("scrape_duration_seconds", chosenTarget)],
          ["Collecting and writing, 95th percentile", query.quantile(0.95, "metricsCollectionDuration")],
        ],
      }),
      graph({
        title: "Series by metric",
        description: "Of the metrics that can grow, and of all others together.",
        unit: whole,
        noValue: notScraped,
        targets: [[legendOf("metric"), query.processSum("metricsSeries", ["metric"])]],
      }),
      graph({
        title: "Series against their limit",
        description: "Share of what a metric may have in one process; at 100 % what is new is folded into one series.",
        unit: "percentunit",
        max: 1,
        noValue: "No process serves the API",
        colours: ["green", [0.8, "orange"]],
        targets: query.seriesShares,
      }),
      bars({
        title: "Dropped measurements by metric",
        description: "In each bar; the sum over all labels stays right, the split does not.",
        unit: whole,
        noValue: notScraped,
        colours: ["green", [1, "red"]],
        targets: [[legendOf("metric"), query.counts("metricsDropped", ["metric"])]],
      }),
      bars({
        title: "Spans, log records and points not exported",
        description: "In each bar; only where they are sent somewhere.",
        unit: whole,
        noValue: notScraped,
        colours: ["green", [1, "red"]],
        targets: [[legendOf("signal"), query.counts("telemetryExportDropped", ["signal"])]],
      }),
      bars({
        title: "Failed and late rule groups",
        description: "Evaluations that failed, and rounds that were left out, in each bar.",
        unit: whole,
        colours: ["green", [1, "red"]],
        noValue: "No rules are loaded",
        targets: [
          [
            `Failed, ${legendOf("rule_group")}`,
            query.countsOfPrometheus("prometheus_rule_evaluation_failures_total", " by (rule_group)"),
          ],
          [
            `Left out, ${legendOf("rule_group")}`,
            query.countsOfPrometheus("prometheus_rule_group_iterations_missed_total", " by (rule_group)"),
          ],
        ],
      }),
      graph({
        title: "Duration of rule groups",
        description:
          "Of the last round; they run every 15 s, sums of days each minute, what those add up every 5 minutes.",
        unit: "s",
        noValue: "No rules are loaded",
        targets: [[legendOf("rule_group"), query.ofPrometheus("prometheus_rule_group_last_duration_seconds")]],
      }),
      bars({
        title: "Notifications to Alertmanager",
        description: "In each bar: sent, failed, and thrown away since the queue was full or none was there.",
        unit: whole,
        noValue: noPrometheus,
        targets: [
          ["Sent", query.countsOfPrometheus("prometheus_notifications_sent_total")],
          ["Failed", query.countsOfPrometheus("prometheus_notifications_errors_total")],
          ["Thrown away", query.countsOfPrometheus("prometheus_notifications_dropped_total")],
        ],
      }),
      bars({
        title: "Notifications to people",
        description: "In each bar, by the ways that were taken in the time range; the dead-man's switch aside.",
        unit: whole,
        noValue: "Nobody was told of anything in this time",
        targets: [
          [`Tried, ${legendOf("integration")}`, query.toldByWay("alertmanager_notifications_total")],
          [`Failed, ${legendOf("integration")}`, query.toldByWay("alertmanager_notifications_failed_total")],
        ],
      }),
      graph({
        title: "Prometheus' room",
        description: "Blocks and write-ahead log on disk; at the limit the oldest days go.",
        unit: "bytes",
        noValue: noPrometheus,
        targets: [
          ["Blocks", query.ofPrometheus("prometheus_tsdb_storage_blocks_bytes")],
          ["Write-ahead log", query.ofPrometheus("prometheus_tsdb_wal_storage_size_bytes")],
          ["Limit", query.ofPrometheus("prometheus_tsdb_retention_limit_bytes")],
        ],
      }),
    ],
  };
}
