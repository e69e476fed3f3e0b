import { callersRunErrorTypes } from "../../../otel/api/catalogue/training.ts";
import { logQueries } from "../queries/log-queries.ts";
import { legendOf, type Queries } from "../queries/queries.ts";
import type { DashboardText } from "./build-dashboard.ts";
import { lines } from "./log-panels.ts";
import { bars, graph, number, whole } from "./panels.ts";

const answers = `**Do trainings start, end well, and give models that are worth it?** A run waits in the queue, takes a place of a worker, and ends once as succeeded, failed or cancelled.
Failures of cause *data* are the caller's; all others are the system's. *Lift* compares with a naive guess: 0.4 is an error 40 % smaller than its, below 0 is worse than guessing.`;

/** The queue, the runs, the models and what they predict. */
export function trainingDashboard(query: Queries): DashboardText {
  const mode = legendOf("mode");
  const modeAndTask = `${mode}, ${legendOf("task")}`;
  const noState = "The state can't be read";
  const noWorker = "No process trains";
  const noRuns = "No run succeeded in this time";
  const notScraped = "No process of the backend is scraped";

  return {
    uid: "mlops-backend-training",
    description:
      "Queue depth and age, duration, outcomes, causes of failure, places, lift over the baseline, predictions.",
    answers,
    panels: [
      number({
        title: "Waiting",
        description: "Runs in the queue that no worker has taken.",
        unit: whole,
        noValue: noState,
        targets: [["Waiting", query.deploymentGauge("trainingQueueJobs", { state: '="queued"' })]],
      }),
      number({
        title: "Oldest waiting run",
        description: "Its age; above 60 s the objective is missed, above 600 s look at the workers.",
        unit: "s",
        noValue: noState,
        colours: ["green", [60, "orange"], [600, "red"]],
        targets: [["Oldest", query.deploymentGauge("trainingQueueOldestAge")]],
      }),
      number({
        title: "Places taken",
        description: "Share of all workers' places that train now. 100 % and a growing queue: add workers.",
        unit: "percentunit",
        noValue: noWorker,
        targets: [
          [
            "Busy",
            `${query.processSum("trainingWorkerSlots", [], { state: '="busy"' })} / (${query.processSum("trainingWorkerSlots")} > 0)`,
          ],
        ],
      }),
      number({
        title: "Ended runs",
        description: "Runs that reached a final state in the time range.",
        unit: whole,
        noValue: notScraped,
        targets: [["Runs", query.increase("trainingRuns")]],
      }),
      number({
        title: "Failed by our fault",
        description: "Runs in the time range that failed by another cause than the data or its size.",
        unit: whole,
        noValue: noWorker,
        colours: ["green", [1, "red"]],
        targets: [
          ["Failed", query.increase("trainingFailures", [], { "error.type": `!~"${callersRunErrorTypes.join("|")}"` })],
        ],
      }),
      number({
        title: "Models better than naive",
        description:
          "Share of the models of the time range whose error is at least 5 % smaller than the naive guess's.",
        unit: "percentunit",
        noValue: noRuns,
        colours: ["orange", [0.8, "green"]],
        targets: [["Better", query.shareWithin(0.95, "trainingRelativeError")]],
      }),
      graph({
        title: "Runs by outcome",
        description: "Runs a second that reached a final state.",
        unit: "ops",
        noValue: notScraped,
        targets: [[legendOf("outcome"), query.rate("trainingRuns", ["outcome"])]],
      }),
      bars({
        title: "Failures by cause",
        description: "In each bar. Cause data is the caller's; the others are the system's.",
        unit: whole,
        noValue: noWorker,
        targets: [[legendOf("error.type"), query.counts("trainingFailures", ["error.type"])]],
      }),
      bars({
        title: "Retries",
        description: "Attempts after the first, in each bar: workers that went away, storage or database faults.",
        unit: whole,
        noValue: noWorker,
        targets: [[mode, query.counts("trainingRetries", ["mode"])]],
      }),
      graph({
        title: "Queue by state",
        description: "Jobs; retry waits for its next attempt.",
        unit: whole,
        noValue: noState,
        targets: [[legendOf("state"), query.deploymentGauge("trainingQueueJobs")]],
      }),
      graph({
        title: "Age of the oldest waiting run",
        description: "Grows when workers are busy, stuck or absent. The line is the objective.",
        unit: "s",
        noValue: noState,
        colours: ["green", [60, "red"]],
        targets: [["Oldest run", query.deploymentGauge("trainingQueueOldestAge")]],
      }),
      graph({
        title: "Wait from submission to start",
        description: "Of runs that started; those that still wait are in the panel beside.",
        unit: "s",
        noValue: "No run started in this time",
        colours: ["green", [60, "red"]],
        targets: [
          [`50th percentile, ${mode}`, query.quantile(0.5, "trainingQueueWait", ["mode"])],
          [`95th percentile, ${mode}`, query.quantile(0.95, "trainingQueueWait", ["mode"])],
        ],
      }),
      graph({
        title: "Duration of succeeded runs",
        description: "From the start of the last attempt, beside TRAINING_TIMEOUT_SECONDS, at which a run is ended.",
        unit: "s",
        noValue: noRuns,
        targets: [
          [`Median, ${modeAndTask}`, query.quantile(0.5, "trainingDuration", ["mode", "task"])],
          [`95th percentile, ${modeAndTask}`, query.quantile(0.95, "trainingDuration", ["mode", "task"])],
          ["Time-out", `max(${query.processGauge("trainingTimeout")})`],
        ],
      }),
      graph({
        title: "Places of workers",
        description: "Busy and idle places, all workers together.",
        unit: whole,
        noValue: noWorker,
        targets: [[legendOf("state"), query.processSum("trainingWorkerSlots", ["state"])]],
      }),
      bars({
        title: "Models removed",
        description: "In each bar: by retention (MAX_MODEL_ARTIFACTS), or since somebody asked for it.",
        unit: whole,
        noValue: notScraped,
        targets: [[legendOf("reason"), query.counts("artifactsRemoved", ["reason"])]],
      }),
      graph({
        title: "Lift over the naive baseline, median",
        description: "1 less the model's error divided by the baseline's; below 0 is worse than guessing.",
        unit: "percentunit",
        max: 1,
        noValue: noRuns,
        targets: [[modeAndTask, `1 - ${query.quantile(0.5, "trainingRelativeError", ["mode", "task"])}`]],
      }),
      graph({
        title: "Predictions",
        description: "Requests by outcome and rows, a second; rejected ones did not fit the model's columns.",
        unit: "ops",
        noValue: "No process serves the API",
        targets: [
          [`Requests, ${legendOf("outcome")}`, query.rate("predictions", ["outcome"])],
          ["Rows", query.rate("predictionRows")],
          ["Values unknown to the model", query.rate("predictionUnknownValues")],
        ],
      }),
      graph({
        title: "Time of predictions",
        description: "Requests that succeeded, by task of the model.",
        unit: "s",
        noValue: "No prediction in this time",
        withExemplars: true,
        targets: [
          [`50th percentile, ${legendOf("task")}`, query.quantile(0.5, "predictionDuration", ["task"])],
          [`95th percentile, ${legendOf("task")}`, query.quantile(0.95, "predictionDuration", ["task"])],
        ],
      }),
    ],
    variables: ["service"],
    logs: [
      lines({
        title: "Runs: begun and ended",
        description:
          "The newest 200 lines about runs; one that is opened leads to its trace, or to all lines of its run.",
        noValue: "No lines about runs in this time",
        expression: logQueries.runs,
      }),
      lines({
        title: "Runs: what went wrong",
        description: "The newest 200 warnings and errors about runs: failed attempts, time-outs, dead processes.",
        noValue: "Nothing went wrong in this time",
        expression: logQueries.unwellRuns,
      }),
    ],
  };
}
