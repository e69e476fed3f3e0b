import { legendOf, type Queries } from "../queries/queries.ts";
import type { DashboardText } from "./build-dashboard.ts";
import { bars, graph, number, whole } from "./panels.ts";

const answers = `**Do uploads get in, is there room, and do expired datasets go?** Failed uploads are ours, rejected ones the callers': the reason is the error code that they were given.
A dataset expires \`DATASET_TTL_DAYS\` after its upload and goes with the next cycle, unless a training needs it. *Lag* is how long the oldest one is overdue.`;

/** Uploads, room, and the removal of what has expired. */
export function datasetDashboard(query: Queries): DashboardText {
  const instance = legendOf("instance");
  const noApi = "No process serves the API";
  const noState = "The state can't be read";
  const noUploads = "No accepted upload in this time";
  const notScraped = "No process of the backend is scraped";

  return {
    uid: "mlops-backend-datasets",
    description: "Uploads by outcome and reason, sizes, bytes kept, TTL cycles and their lag, missing files.",
    answers,
    panels: [
      number({
        title: "Datasets",
        description: "Datasets kept.",
        unit: whole,
        noValue: noState,
        targets: [["Datasets", query.deploymentGauge("datasets")]],
      }),
      number({
        title: "Accepted uploads",
        description: "In the time range.",
        unit: whole,
        noValue: noApi,
        targets: [["Accepted", query.increase("datasetUploads", [], { outcome: '="accepted"' })]],
      }),
      number({
        title: "Failed uploads",
        description: "In the time range, by our fault.",
        unit: whole,
        noValue: noApi,
        colours: ["green", [1, "red"]],
        targets: [["Failed", query.increase("datasetUploads", [], { outcome: '="failed"' })]],
      }),
      number({
        title: "Free space",
        description: "Share of the file system that is free, where there is least. Empty with files in S3.",
        unit: "percentunit",
        noValue: notScraped,
        colours: ["red", [0.05, "orange"], [0.2, "green"]],
        targets: [
          [
            "Free",
            `min(${query.processGauge("storageFilesystemAvailable")} / ${query.processGauge("storageFilesystemSize")})`,
          ],
        ],
      }),
      number({
        title: "Expiry",
        description: "1: datasets expire; 0: they are kept for good (DATASET_TTL_DAYS=0).",
        unit: "bool_on_off",
        noValue: noState,
        targets: [["Expiry", query.deploymentGauge("ttlEnabled")]],
      }),
      number({
        title: "Files missing",
        description: "Rows whose file the last sweep did not find: somebody removed files by hand, or lost a disk.",
        unit: whole,
        noValue: noState,
        colours: ["green", [1, "red"]],
        targets: [[legendOf("kind"), query.deploymentGauge("filesMissing")]],
      }),
      graph({
        title: "Uploads by outcome",
        description: "Uploads a second. Failed ones are ours, rejected ones the callers'.",
        unit: "ops",
        noValue: noApi,
        targets: [[legendOf("outcome"), query.rate("datasetUploads", ["outcome"])]],
      }),
      graph({
        title: "Why uploads are rejected or warned",
        description:
          "Rejections a second by error code; accepted uploads a second by each code that they are warned of.",
        unit: "ops",
        noValue: "Nothing was rejected or warned of in this time",
        targets: [
          [legendOf("reason"), `${query.rate("datasetUploadRejections", ["reason"])} > 0`],
          [`warned: ${legendOf("reason")}`, `${query.rate("datasetWarnings", ["reason"])} > 0`],
        ],
      }),
      graph({
        title: "Size of accepted uploads",
        description: "Size of the files, expanded.",
        unit: "bytes",
        noValue: noUploads,
        targets: [
          ["Mean", query.mean("datasetUploadSize")],
          ["50th percentile", query.quantile(0.5, "datasetUploadSize")],
          ["95th percentile", query.quantile(0.95, "datasetUploadSize")],
        ],
      }),
      bars({
        title: "What people send",
        description: "Accepted uploads in each bar, by format: what a fault in one reader would hit.",
        unit: whole,
        noValue: noApi,
        targets: [[legendOf("format"), query.counts("datasetUploadFormats", ["format"])]],
        span: 6,
      }),
      graph({
        title: "Bytes kept",
        description: "Files that datasets and models refer to.",
        unit: "bytes",
        noValue: noState,
        targets: [[legendOf("kind"), query.deploymentGauge("storage")]],
        span: 6,
      }),
      graph({
        title: "File system",
        description: "Space where the files are kept. Empty with files in S3: a bucket has no size.",
        unit: "bytes",
        noValue: notScraped,
        targets: [
          [`Free, ${instance}`, query.processGauge("storageFilesystemAvailable")],
          [`Size, ${instance}`, query.processGauge("storageFilesystemSize")],
        ],
        span: 6,
      }),
      graph({
        title: "Duration of profiles",
        description: "Time to make a dataset's column profile after the upload.",
        unit: "s",
        noValue: "No profile was made in this time",
        targets: [
          ["Mean", query.mean("datasetProfileDuration")],
          ["95th percentile", query.quantile(0.95, "datasetProfileDuration")],
        ],
        span: 6,
      }),
      bars({
        title: "TTL cycles by result",
        description: "In each bar. Empty: nothing had expired; failure: something could not be removed.",
        unit: whole,
        noValue: notScraped,
        targets: [[legendOf("result"), query.counts("ttlCycles", ["result"])]],
      }),
      graph({
        title: "TTL lag",
        description: "How long the oldest expired dataset is overdue; more than two intervals is too late.",
        unit: "s",
        noValue: noState,
        targets: [
          ["Lag", query.deploymentGauge("ttlLag")],
          ["Interval", query.deploymentGauge("ttlInterval")],
        ],
      }),
      graph({
        title: "Since the last good TTL cycle",
        description:
          "Of any process. Grows beyond the interval when cycles fail or stop; without meaning when expiry is off.",
        unit: "s",
        noValue: noState,
        targets: [
          ["Since the last success", `time() - ${query.deploymentGauge("ttlLastSuccess")}`],
          ["Interval", query.deploymentGauge("ttlInterval")],
        ],
      }),
      bars({
        title: "Removed by expiry",
        description: "In each bar.",
        unit: whole,
        noValue: notScraped,
        targets: [
          ["Datasets", query.counts("ttlDatasetsRemoved")],
          ["Files", query.counts("ttlFilesRemoved")],
        ],
      }),
      bars({
        title: "Expiry: errors and files already gone",
        description: "In each bar. An error leaves the dataset for the next cycle.",
        unit: whole,
        noValue: notScraped,
        colours: ["green", [1, "red"]],
        targets: [
          ["Errors", query.counts("ttlErrors")],
          ["Files already gone", query.counts("ttlFilesMissing")],
        ],
      }),
      graph({
        title: "Duration of TTL cycles",
        description: "Mean and 95th percentile.",
        unit: "s",
        noValue: "No cycle in this time",
        targets: [
          ["Mean", query.mean("ttlCycleDuration")],
          ["95th percentile", query.quantile(0.95, "ttlCycleDuration")],
        ],
      }),
    ],
  };
}
