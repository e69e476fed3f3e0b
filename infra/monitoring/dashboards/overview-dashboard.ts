import { answeredRoutes, apiRoutes, objectiveKeys, objectives } from "../objectives.ts";
import { legendOf, type Queries } from "../queries/queries.ts";
import type { DashboardText } from "./build-dashboard.ts";
import { graph, number, whole } from "./panels.ts";
import { alertList, table } from "./tables.ts";

const answers = `**Is the backend well, and if not, where to look?** Requests, uploads, trainings, expiry, what is promised and what is wrong now. The links above lead to the details; *job* and *instance* go with them.
Figures of the deployment (datasets, queue, expiry) are the same on every instance and are shown once. Vertical lines are starts of the process, new versions and alerts. Every metric is explained in \`docs/metrics.md\`.`;

const objectiveTitles = Object.fromEntries(objectiveKeys.map((key) => [key, objectives[key].title]));

/** Grafana's home. */
export function overviewDashboard(query: Queries): DashboardText {
  const outcome = legendOf("outcome");
  const noRequests = "No requests in this time";
  // Of the same requests as the objectives: probes and scrapes, which never fail, would make every share look better.
  const counted = query.rate("httpRequests", [], { "http.route": apiRoutes, outcome: '!="aborted"' });
  const share = (outcome: "server_error" | "client_error"): string =>
    `${query.rate("httpRequests", [], { "http.route": apiRoutes, outcome: `="${outcome}"` })} / (${counted} > 0)`;
  const latency = (quantile: number): string =>
    query.quantile(quantile, "httpRequestDuration", [], { "http.route": answeredRoutes });
  const noRules = "Nothing recorded yet: are the rules loaded?";

  return {
    uid: "mlops-backend-overview",
    description: "Requests, uploads, trainings, expiry, objectives, and what is wrong now.",
    answers,
    panels: [
      number({
        title: "Firing alerts",
        description: "Alerts that fire now, the one that always does aside.",
        unit: whole,
        noValue: "Prometheus does not answer",
        colours: ["green", [1, "red"]],
        targets: [["Alerts", query.firingCount]],
      }),
      number({
        title: "Requests",
        description: "Requests a second, all routes.",
        unit: "reqps",
        noValue: noRequests,
        targets: [["Requests", query.rate("httpRequests")]],
        details: "mlops-backend-http",
      }),
      number({
        title: "Server errors",
        description: "Share of API requests that ended with a 5xx answer of ours; 0.5 % is allowed.",
        unit: "percentunit",
        noValue: noRequests,
        colours: ["green", [0.005, "orange"], [0.05, "red"]],
        targets: [["Server errors", share("server_error")]],
        details: "mlops-backend-http",
      }),
      number({
        title: "Latency, p95",
        description: "95 of 100 API requests were quicker; uploads and event streams aside.",
        unit: "s",
        noValue: noRequests,
        colours: ["green", [0.5, "orange"], [2, "red"]],
        targets: [["95th percentile", latency(0.95)]],
        details: "mlops-backend-http",
      }),
      number({
        title: "Datasets",
        description: "Datasets kept.",
        unit: whole,
        noValue: "The state can't be read",
        targets: [["Datasets", query.deploymentGauge("datasets")]],
        details: "mlops-backend-datasets",
      }),
      number({
        title: "Oldest waiting run",
        description: "Age of the oldest training that waits; above 60 s the objective is missed.",
        unit: "s",
        noValue: "The state can't be read",
        colours: ["green", [60, "orange"], [600, "red"]],
        targets: [["Oldest", query.deploymentGauge("trainingQueueOldestAge")]],
        details: "mlops-backend-training",
      }),
      table({
        title: "What is wrong now",
        description: "Alerts that fire, and for how long that has been true. Empty is good.",
        noValue: "No alert fires",
        labels: { severity: "Severity", alertname: "Alert", objective: "Objective", instance: "Instance" },
        columns: [{ title: "For", expression: query.firingSince, unit: "s" }],
        span: 14,
      }),
      alertList({
        title: "Firing and pending, with their rules",
        description: "Grafana's list of the same alerts, and of those that are about to fire; it leads to each rule.",
        span: 10,
      }),
      graph({
        title: "Requests by outcome",
        description: "Server errors are ours; client errors are the callers'; aborted requests broke off.",
        unit: "reqps",
        noValue: noRequests,
        targets: [[outcome, query.rate("httpRequests", ["outcome"])]],
        details: "mlops-backend-http",
      }),
      graph({
        title: "Share of errors",
        description:
          "Of API requests that were not broken off. The line is what the objective allows of server errors.",
        unit: "percentunit",
        noValue: noRequests,
        colours: ["green", [0.005, "red"]],
        targets: [
          ["Server errors", share("server_error")],
          ["Client errors", share("client_error")],
        ],
        details: "mlops-backend-http",
      }),
      graph({
        title: "Latency",
        description:
          "Of API requests. The objective is below 0.5 s, uploads and event streams aside: how long they last is the client's.",
        unit: "s",
        noValue: noRequests,
        colours: ["green", [0.5, "red"]],
        withExemplars: true,
        targets: [
          ["50th percentile", latency(0.5)],
          ["95th percentile", latency(0.95)],
          ["99th percentile", latency(0.99)],
        ],
        details: "mlops-backend-http",
      }),
      graph({
        title: "Dataset uploads by outcome",
        description: "Uploads a second. Failed ones are ours, rejected ones the callers'.",
        unit: "ops",
        noValue: "No process serves the API",
        targets: [[outcome, query.rate("datasetUploads", ["outcome"])]],
        details: "mlops-backend-datasets",
      }),
      graph({
        title: "Trainings by outcome",
        description: "Runs a second that reached a final state.",
        unit: "ops",
        noValue: "No process of the backend is scraped",
        targets: [[outcome, query.rate("trainingRuns", ["outcome"])]],
        details: "mlops-backend-training",
      }),
      graph({
        title: "Expiry of datasets (TTL)",
        description:
          "How late the oldest expired dataset is, beside the interval; more than two intervals is too late.",
        unit: "s",
        noValue: "The state can't be read",
        targets: [
          ["Lag", query.deploymentGauge("ttlLag")],
          ["Interval", query.deploymentGauge("ttlInterval")],
        ],
        details: "mlops-backend-datasets",
      }),
      table({
        title: "Objectives and their error budgets",
        description:
          "Of what an objective allows to go wrong in 30 days: 100 % is untouched, below 0 is spent. Until 30 days are recorded it is counted over the days shown. Several jobs: the worst.",
        noValue: noRules,
        labels: { objective: "Objective" },
        words: { objective: objectiveTitles },
        columns: [
          {
            title: "Budget left",
            expression: `min by (objective) (${query.ofObjectives("objective:error_budget_remaining:ratio")})`,
            unit: "percentunit",
            colours: ["red", [0, "orange"], [0.25, "green"]],
          },
          {
            title: "Days covered",
            expression: `min by (objective) (${query.ofObjectives("objective:covered:days")})`,
            unit: "d",
          },
          {
            title: "Bad in the last hour",
            expression: `max by (objective) (${query.ofObjectives("objective:errors:ratio_rate1h")})`,
            unit: "percentunit",
          },
        ],
        span: 12,
      }),
      graph({
        title: "Share of bad events in an hour, by objective",
        description: "Bad requests, runs or minutes. 0.5 % of requests may fail; of all else 1 % may be bad.",
        unit: "percentunit",
        noValue: noRules,
        colours: ["green", [0.01, "red"]],
        targets: objectiveKeys.map((objective) => [
          objectives[objective].title,
          query.ofObjectives("objective:errors:ratio_rate1h", objective),
        ]),
        span: 12,
      }),
    ],
  };
}
