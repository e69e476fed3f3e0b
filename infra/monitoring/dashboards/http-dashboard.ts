import { logQueries } from "../queries/log-queries.ts";
import { answered, legendOf, type Queries } from "../queries/queries.ts";
import type { DashboardText } from "./build-dashboard.ts";
import { lines } from "./log-panels.ts";
import { bars, graph, heatmap, whole } from "./panels.ts";
import { table } from "./tables.ts";

const answers = `**Which route is slow, failing or busy, and who breaks off?** Rate, errors and duration of every route, sizes, and what is being answered now.
Server errors are 5xx of ours (a used-up quota isn't); client errors are 4xx; aborted is what the client broke off. Event streams are left out of durations: they last as long as somebody follows. *unmatched* is a path without a route, a method that it does not take, or what came whole as no request.`;

/** Rate, errors and duration by route. */
export function httpDashboard(query: Queries): DashboardText {
  const route = legendOf("http.route");
  const noRequests = "No requests in this time";
  const share = (outcome: "server_error" | "client_error" | "aborted"): string =>
    `${query.rate("httpRequests", ["http.route"], { outcome: `="${outcome}"` })} / (${query.rate("httpRequests", ["http.route"])} > 0)`;

  return {
    uid: "mlops-backend-http",
    description: "Rate, errors and duration by route, sizes, requests in progress, what was broken off.",
    answers,
    panels: [
      table({
        title: "Routes",
        description: "The latest figures of each route that had requests; shares are of its own requests.",
        noValue: noRequests,
        labels: { http_route: "Route" },
        columns: [
          { title: "Requests", expression: `${query.rate("httpRequests", ["http.route"])} > 0`, unit: "reqps" },
          {
            title: "Server errors",
            expression: share("server_error"),
            unit: "percentunit",
            colours: ["text", [0.005, "orange"], [0.05, "red"]],
          },
          { title: "Client errors", expression: share("client_error"), unit: "percentunit" },
          { title: "Aborted", expression: share("aborted"), unit: "percentunit" },
          {
            title: "Median",
            expression: query.quantile(0.5, "httpRequestDuration", ["http.route"], answered),
            unit: "s",
          },
          {
            title: "95th percentile",
            expression: query.quantile(0.95, "httpRequestDuration", ["http.route"], answered),
            unit: "s",
            colours: ["text", [0.5, "orange"], [2, "red"]],
          },
        ],
      }),
      graph({
        title: "Requests by route",
        description: "Requests a second.",
        unit: "reqps",
        noValue: noRequests,
        targets: [[route, `${query.rate("httpRequests", ["http.route"])} > 0`]],
      }),
      graph({
        title: "Errors by route",
        description: "Requests a second that ended with 4xx or 5xx.",
        unit: "reqps",
        noValue: "No errors in this time",
        targets: [
          [
            `${route}, ${legendOf("outcome")}`,
            `${query.rate("httpRequests", ["http.route", "outcome"], { outcome: '=~"client_error|server_error"' })} > 0`,
          ],
        ],
      }),
      graph({
        title: "Latency by route, p95",
        description: "Which route is slow. The line is the objective.",
        unit: "s",
        noValue: noRequests,
        colours: ["green", [0.5, "red"]],
        withExemplars: true,
        targets: [[route, query.quantile(0.95, "httpRequestDuration", ["http.route"], answered)]],
      }),
      heatmap({
        title: "How long requests take",
        description: "Requests by the bound that they stayed under; a second band is a second kind of request.",
        unit: "s",
        noValue: noRequests,
        withExemplars: true,
        targets: [["{{le}}", query.buckets("httpRequestDuration", answered)]],
      }),
      graph({
        title: "Errors by status",
        description: "Requests a second that ended with 4xx or 5xx.",
        unit: "reqps",
        noValue: "No errors in this time",
        targets: [
          [
            `Status ${legendOf("http.response.status_code")}`,
            query.histogramRate("httpRequestDuration", ["http.response.status_code"], {
              "http.response.status_code": '=~"[45].."',
            }),
          ],
        ],
        span: 12,
      }),
      graph({
        title: "Size of request bodies, p95",
        description: "As sent, without headers; estimated between powers of ten.",
        unit: "bytes",
        noValue: "No request with a body in this time",
        targets: [[route, query.quantile(0.95, "httpRequestBodySize", ["http.route"])]],
      }),
      graph({
        title: "Size of response bodies, p95",
        description: "As sent, without headers; estimated between powers of ten.",
        unit: "bytes",
        noValue: noRequests,
        targets: [[route, query.quantile(0.95, "httpResponseBodySize", ["http.route"])]],
      }),
      graph({
        title: "Body bytes a second",
        description: "Received and sent, all routes.",
        unit: "Bps",
        noValue: noRequests,
        targets: [
          ["Received", query.sumRate("httpRequestBodySize")],
          ["Sent", query.sumRate("httpResponseBodySize")],
        ],
      }),
      graph({
        title: "Requests being answered",
        description: "Begun and not ended, event streams included. Grows without end when something hangs.",
        unit: whole,
        noValue: "Switched off by PROMETHEUS__INSTRUMENT_INPROGRESS",
        targets: [[legendOf("http.request.method"), query.processSum("httpActiveRequests", ["http.request.method"])]],
      }),
      graph({
        title: "Aborted requests by route",
        description: "A second; the client broke off before the answer's end. Event streams end like that as a rule.",
        unit: "reqps",
        noValue: "Nothing was broken off in this time",
        targets: [[route, `${query.rate("httpRequests", ["http.route"], { outcome: '="aborted"' })} > 0`]],
      }),
      bars({
        title: "Aborted uploads",
        description: "Uploads that the client broke off, in each bar. Many point at a slow way or a short time-out.",
        unit: whole,
        noValue: "No process serves the API",
        targets: [["Aborted uploads", query.counts("datasetUploads", [], { outcome: '="aborted"' })]],
      }),
    ],
    variables: ["service"],
    logs: [
      lines({
        title: "Requests that failed or were broken off",
        description: "The newest 200 with a 5xx answer, or whose client went away; event streams aside.",
        noValue: "No request failed in this time",
        expression: logQueries.failedRequests,
      }),
      lines({
        title: "Requests above half a second",
        description: "The newest 200 that missed the bound of the objective; event streams aside.",
        noValue: "No request was so slow",
        expression: logQueries.slowRequests,
      }),
    ],
  };
}
