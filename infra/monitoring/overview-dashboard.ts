/** The one dashboard. Longer than 300 lines because it is the list of its panels. */

import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  VizLegendOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TextBuilder, TextMode } from "@grafana/grafana-foundation-sdk/text";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as query from "./queries.ts";

const { legendOf } = query;
const datasource = { type: "prometheus", uid: "Prometheus" };

export const overviewUid = "mlops-backend-overview";
export const overviewTitle = "Backend Monitoring Overview";

/** One query of a panel with its legend in words. */
type Target = readonly [legend: string, expression: string];

interface PanelText {
  readonly title: string;
  /** What the panel shows, and when to worry. */
  readonly description: string;
  /** Grafana's unit id. */
  readonly unit: string;
  readonly targets: readonly Target[];
}

function target([legend, expression]: Target, index: number, instant: boolean): DataqueryBuilder {
  // The SDK leaves refId out; Grafana tells the queries of a panel apart by it.
  const made = new DataqueryBuilder()
    .expr(expression)
    .legendFormat(legend)
    .refId(String.fromCharCode(65 + index))
    .datasource(datasource);
  return instant ? made.instant() : made.range();
}

function graph({ title, description, unit, targets }: PanelText, span = 12): Builder<Panel> {
  const legend = new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .min(0)
    .lineWidth(1)
    .fillOpacity(8)
    .legend(legend)
    .span(span)
    .height(8);
  targets.forEach((one, index) => {
    panel.withTarget(target(one, index, false));
  });
  return panel;
}

function number({ title, description, unit, targets }: PanelText, span = 4): Builder<Panel> {
  const panel = new StatBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .colorMode(BigValueColorMode.None)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .span(span)
    .height(4);
  targets.forEach((one, index) => {
    panel.withTarget(target(one, index, true));
  });
  return panel;
}

function text(title: string, content: string): Builder<Panel> {
  return new TextBuilder().title(title).mode(TextMode.Markdown).content(content).span(24).height(4);
}

const route = legendOf("http.route");
const outcome = legendOf("outcome");
const instance = legendOf("instance");
const modeAndTask = `${legendOf("mode")}, ${legendOf("task")}`;

const introduction = `**The backend at a glance**: requests, dataset uploads, trainings, removal of expired datasets, and the process itself.
Choose *job* and *instance* above; figures of the deployment (datasets, storage, queue, TTL) are the same on every instance and are shown once.
Quantiles are estimated from histogram buckets. An empty panel means that nothing of its kind has happened in the chosen time.
Every metric is explained in \`docs/metrics.md\`.`;

/** Rows of panels; the spans of a line add up to 24. */
const rows: readonly { readonly title: string; readonly panels: () => readonly Builder<Panel>[] }[] = [
  {
    title: "Now",
    panels: () => [
      text("About this dashboard", introduction),
      number({
        title: "Requests",
        description: "Requests a second, all routes.",
        unit: "reqps",
        targets: [["Requests", query.rate("httpRequests")]],
      }),
      number({
        title: "Server errors",
        description: "Share of requests that ended with a 5xx answer.",
        unit: "percentunit",
        targets: [
          [
            "Server errors",
            `${query.rate("httpRequests", [], { outcome: '="server_error"' })} / ${query.rate("httpRequests")}`,
          ],
        ],
      }),
      number({
        title: "Latency, p95",
        description: "95 of 100 requests were quicker; event streams aside.",
        unit: "s",
        targets: [["95th percentile", query.quantile(0.95, "httpRequestDuration", [], query.answered)]],
      }),
      number({
        title: "Datasets",
        description: "Datasets kept.",
        unit: "short",
        targets: [["Datasets", query.deploymentGauge("datasets")]],
      }),
      number({
        title: "Trainings in the time range",
        description: "Training runs that reached a final state.",
        unit: "short",
        targets: [["Trainings", query.increase("trainingRuns")]],
      }),
      number({
        title: "State readable",
        description: "1: the database answered the last scrape; 0: figures of the deployment are missing.",
        unit: "short",
        targets: [[instance, query.processGauge("stateReadable")]],
      }),
    ],
  },
  {
    title: "HTTP",
    panels: () => [
      graph({
        title: "Request rate by route",
        description: "Requests a second.",
        unit: "reqps",
        targets: [[route, query.histogramRate("httpRequestDuration", ["http.route"])]],
      }),
      graph({
        title: "Requests by outcome",
        description: "Server errors are ours; client errors are the callers'; aborted requests broke off.",
        unit: "reqps",
        targets: [[outcome, query.rate("httpRequests", ["outcome"])]],
      }),
      graph({
        title: "Latency",
        description: "The objective is below 0.5 s. Event streams aside: they last as long as somebody follows.",
        unit: "s",
        targets: [
          ["50th percentile", query.quantile(0.5, "httpRequestDuration", [], query.answered)],
          ["95th percentile", query.quantile(0.95, "httpRequestDuration", [], query.answered)],
          ["99th percentile", query.quantile(0.99, "httpRequestDuration", [], query.answered)],
        ],
      }),
      graph({
        title: "Latency by route, p95",
        description: "Which route is slow; event streams aside.",
        unit: "s",
        targets: [[route, query.quantile(0.95, "httpRequestDuration", ["http.route"], query.answered)]],
      }),
      graph(
        {
          title: "Size of requests and responses",
          description: "Bodies as sent, without headers.",
          unit: "bytes",
          targets: [
            ["Requests, mean", query.mean("httpRequestBodySize")],
            ["Requests, 95th percentile", query.quantile(0.95, "httpRequestBodySize")],
            ["Responses, mean", query.mean("httpResponseBodySize")],
            ["Responses, 95th percentile", query.quantile(0.95, "httpResponseBodySize")],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Errors by status",
          description: "Requests a second that ended with 4xx or 5xx.",
          unit: "reqps",
          targets: [
            [
              `Status ${legendOf("http.response.status_code")}`,
              query.histogramRate("httpRequestDuration", ["http.response.status_code"], {
                "http.response.status_code": '=~"[45].."',
              }),
            ],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Requests being answered",
          description: "Requests that have begun and not ended.",
          unit: "short",
          targets: [["Requests", query.processSum("httpActiveRequests")]],
        },
        8,
      ),
    ],
  },
  {
    title: "Dataset uploads",
    panels: () => [
      graph(
        {
          title: "Uploads by outcome",
          description: "Uploads a second. Failed ones are ours, rejected ones the callers'.",
          unit: "ops",
          targets: [[outcome, query.rate("datasetUploads", ["outcome"])]],
        },
        8,
      ),
      graph(
        {
          title: "Size of accepted uploads",
          description: "Size of the CSV files, expanded.",
          unit: "bytes",
          targets: [
            ["Mean", query.mean("datasetUploadSize")],
            ["50th percentile", query.quantile(0.5, "datasetUploadSize")],
            ["95th percentile", query.quantile(0.95, "datasetUploadSize")],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Why uploads are rejected",
          description: "Rejections a second by error code.",
          unit: "ops",
          targets: [[legendOf("reason"), `${query.rate("datasetUploadRejections", ["reason"])} > 0`]],
        },
        8,
      ),
      graph({
        title: "Bytes kept",
        description: "Files that datasets and models refer to.",
        unit: "bytes",
        targets: [[legendOf("kind"), query.deploymentGauge("storage")]],
      }),
      graph({
        title: "File system",
        description: "Space where the files are kept.",
        unit: "bytes",
        targets: [
          [`Free, ${instance}`, query.processGauge("storageFilesystemAvailable")],
          [`Size, ${instance}`, query.processGauge("storageFilesystemSize")],
        ],
      }),
    ],
  },
  {
    title: "Training",
    panels: () => [
      graph(
        {
          title: "Trainings by outcome",
          description: "Runs a second that reached a final state.",
          unit: "ops",
          targets: [[outcome, query.rate("trainingRuns", ["outcome"])]],
        },
        8,
      ),
      graph(
        {
          title: "Duration of trainings",
          description: "Succeeded runs, from the start of the last attempt.",
          unit: "s",
          targets: [
            [`Mean, ${modeAndTask}`, query.mean("trainingDuration", ["mode", "task"])],
            [`95th percentile, ${legendOf("mode")}`, query.quantile(0.95, "trainingDuration", ["mode"])],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Failures and retries",
          description: "Cause “data” is the caller's; the others are the system's.",
          unit: "ops",
          targets: [
            [legendOf("error.type"), query.rate("trainingFailures", ["error.type"])],
            ["Retries", query.rate("trainingRetries")],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Queue depth",
          description: "Jobs in the queue by state.",
          unit: "short",
          targets: [[legendOf("state"), query.deploymentGauge("trainingQueueJobs")]],
        },
        8,
      ),
      graph(
        {
          title: "Age of the oldest waiting job",
          description: "Grows when workers are busy, stuck or absent.",
          unit: "s",
          targets: [
            ["Oldest job", query.deploymentGauge("trainingQueueOldestAge")],
            ["Wait, 95th percentile", query.quantile(0.95, "trainingQueueWait")],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Places for trainings",
          description: "Busy and idle places, all workers together.",
          unit: "short",
          targets: [[legendOf("state"), query.processSum("trainingWorkerSlots", ["state"])]],
        },
        8,
      ),
      graph({
        title: "Quality against the naive baseline, median",
        description: "The model's error divided by the baseline's; above 1 is worse than naive.",
        unit: "none",
        targets: [[modeAndTask, query.quantile(0.5, "trainingRelativeError", ["mode", "task"])]],
      }),
      graph({
        title: "Predictions",
        description: "Prediction requests a second.",
        unit: "reqps",
        targets: [[outcome, query.rate("predictions", ["outcome"])]],
      }),
    ],
  },
  {
    title: "Removal of expired datasets (TTL)",
    panels: () => [
      graph(
        {
          title: "TTL cycles by result",
          description: "Cycles in the time range.",
          unit: "short",
          targets: [[legendOf("result"), query.increase("ttlCycles", ["result"])]],
        },
        8,
      ),
      graph(
        {
          title: "Removed datasets and files",
          description: "Removed in the time range.",
          unit: "short",
          targets: [
            ["Datasets", query.increase("ttlDatasetsRemoved")],
            ["Files", query.increase("ttlFilesRemoved")],
          ],
        },
        8,
      ),
      graph(
        {
          title: "TTL errors",
          description: "Datasets that could not be removed, and files that were already gone.",
          unit: "short",
          targets: [
            ["Errors", query.increase("ttlErrors")],
            ["Files missing", query.increase("ttlFilesMissing")],
          ],
        },
        8,
      ),
      graph({
        title: "TTL lag",
        description: "How long the oldest expired dataset has outlived its time; more than one interval is late.",
        unit: "s",
        targets: [
          ["Lag", query.deploymentGauge("ttlLag")],
          ["Interval", query.deploymentGauge("ttlInterval")],
        ],
      }),
      graph({
        title: "Duration of TTL cycles",
        description: "Mean and 95th percentile.",
        unit: "s",
        targets: [
          ["Mean", query.mean("ttlCycleDuration")],
          ["95th percentile", query.quantile(0.95, "ttlCycleDuration")],
        ],
      }),
    ],
  },
  {
    title: "Runtime",
    panels: () => [
      graph(
        {
          title: "CPU",
          description: "1 is one core.",
          unit: "short",
          targets: [[instance, query.rateOfInstance("processCpu")]],
        },
        8,
      ),
      graph(
        {
          title: "Memory",
          description: "Resident memory and the heap in it.",
          unit: "bytes",
          targets: [
            [`Resident, ${instance}`, query.processGauge("processMemory")],
            [`Heap, ${instance}`, query.processGauge("heapUsed")],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Event-loop delay",
          description: "How late timers run; above 0.1 s requests feel it.",
          unit: "s",
          targets: [
            [`Median, ${instance}`, query.processGauge("eventLoopDelayP50")],
            [`99th percentile, ${instance}`, query.processGauge("eventLoopDelayP99")],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Garbage collection",
          description: "Collections a second by kind.",
          unit: "ops",
          targets: [[legendOf("v8js.gc.type"), query.histogramRate("gcDuration", ["v8js.gc.type"])]],
        },
        8,
      ),
      graph(
        {
          title: "Database statements, p95",
          description: "Waiting for a connection not included.",
          unit: "s",
          targets: [
            [legendOf("db.operation.name"), query.quantile(0.95, "databaseOperationDuration", ["db.operation.name"])],
          ],
        },
        8,
      ),
      graph(
        {
          title: "Series and dropped measurements",
          description: "Series of this service; measurements beyond a series limit.",
          unit: "short",
          targets: [
            ["Series", query.processSum("metricsSeries")],
            ["Dropped in the time range", query.increase("metricsDropped")],
          ],
        },
        8,
      ),
    ],
  },
];

function variable(name: string, label: string, labelValues: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query: labelValues, refId: `variable-${name}` })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".+")
    .current({ selected: true, text: "All", value: "$__all" });
}

/** «Backend Monitoring Overview», as Grafana reads it. */
export function overviewDashboard(): Dashboard {
  const builder = new DashboardBuilder(overviewTitle)
    .uid(overviewUid)
    .description("Requests, uploads, trainings, TTL and runtime of the backend.")
    .tags(["mlops-backend"])
    .timezone("browser")
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh("30s")
    .time({ from: "now-1h", to: "now" })
    .withVariable(variable("job", "Job", query.jobsQuery))
    .withVariable(variable("instance", "Instance", query.instancesQuery));
  for (const { title, panels } of rows) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels()) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  // The SDK gives no ids; without them Grafana can neither link to a panel nor keep two rows apart.
  dashboard.panels = dashboard.panels?.map((panel, index) => ({ ...panel, id: index + 1 })) ?? [];
  return dashboard;
}
