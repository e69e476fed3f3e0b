import { logQueries } from "../queries/log-queries.ts";
import { legendOf, type Queries } from "../queries/queries.ts";
import { traceQueries } from "../queries/trace-queries.ts";
import type { DashboardText } from "./build-dashboard.ts";
import { bars, lines, traces } from "./log-panels.ts";
import { graph, number, whole } from "./panels.ts";

const answers = `**Which request or training was slow or failed, and what does its log say?** Needs the profile *tracing* (Tempo and Loki). Without it all panels but «Not sent» say that their data source can't be reached; nothing else in Grafana is concerned.
*Service* is the one that Tempo and Loki know; *job* and *instance* narrow «Not sent» and the vertical lines only. A trace is found half a minute after it ended. Write an id into the last box to see its lines.`;

/** Traces in Tempo and lines in Loki; empty without them. */
export function traceDashboard(query: Queries): DashboardText {
  const noLines = "No such lines in this time";
  const code = legendOf("code");

  return {
    uid: "mlops-backend-traces",
    description: "Slow and failed traces, lines by level, codes of faults, warnings and errors, lines of one run.",
    answers,
    variables: ["service", "slower", "id"],
    panels: [
      number({
        source: "Loki",
        title: "Lines",
        description: "Lines of the log in the time range, of all levels.",
        unit: whole,
        noValue: "No lines in this time",
        targets: [["Lines", logQueries.lineCount]],
        span: 6,
      }),
      number({
        source: "Loki",
        title: "Warnings",
        description: "In the time range. What heals itself is a warning; many of one kind are worth a look.",
        unit: whole,
        noValue: "No warnings",
        targets: [["Warnings", logQueries.warningCount]],
        span: 6,
      }),
      number({
        source: "Loki",
        title: "Errors",
        description: "In the time range. An error means that somebody must act.",
        unit: whole,
        noValue: "No errors",
        colours: ["green", [1, "red"]],
        targets: [["Errors", logQueries.errorCount]],
        span: 6,
      }),
      number({
        title: "Not sent",
        description:
          "Spans and lines of the time range that were dropped: what is missing below, and points of metrics that are sent. By Prometheus.",
        unit: whole,
        decimals: 0,
        noValue: "No process of the backend is scraped",
        colours: ["green", [0.5, "red"]],
        targets: [[legendOf("signal"), query.increase("telemetryExportDropped", ["signal"])]],
        details: "mlops-backend-telemetry",
        span: 6,
      }),
      graph({
        source: "Loki",
        title: "Lines by level",
        description: "Each point counts since the one before it.",
        unit: whole,
        noValue: noLines,
        targets: [[legendOf("detected_level"), logQueries.linesByLevel]],
      }),
      graph({
        source: "Loki",
        title: "Codes of faults",
        description: "Lines with a code, of requests and of trainings; each point counts since the one before it.",
        unit: whole,
        noValue: "No faults in this time",
        targets: [[code, logQueries.codes]],
      }),
      bars({
        title: "Most frequent codes",
        description: "Lines of the time range, by the code of their fault; of the ten most frequent.",
        unit: whole,
        noValue: "No faults in this time",
        targets: [[code, logQueries.topCodes]],
      }),
      traces({
        title: "Slow requests",
        description: "The newest fifty that took longer than chosen above, the longest first; event streams aside.",
        noValue: "No request was so slow",
        expression: traceQueries.slowRequests,
      }),
      traces({
        title: "Failed requests",
        description: "The newest fifty that ended with 5xx, the longest first.",
        noValue: "No request failed in this time",
        expression: traceQueries.failedRequests,
      }),
      traces({
        title: "Long attempts at trainings",
        description: "The newest fifty that took longer than chosen above: load, fit, evaluate and save within.",
        noValue: "No attempt took so long",
        expression: traceQueries.slowTrainings,
      }),
      traces({
        title: "Failed attempts at trainings",
        description: "The newest fifty; a link leads to the request, or to the attempt before.",
        noValue: "No attempt failed in this time",
        expression: traceQueries.failedTrainings,
      }),
      lines({
        title: "Warnings and errors",
        description: "The newest 200; one that is opened leads to its trace, or to all lines of its run.",
        noValue: "No warnings or errors in this time",
        expression: logQueries.unwell,
      }),
      lines({
        title: "Lines of one run, trace or request",
        description: "Whose id stands in the last box above: a run's, a trace's, or what X-Request-Id said.",
        noValue: "No lines of this id in this time",
        expression: logQueries.ofId,
      }),
    ],
  };
}
