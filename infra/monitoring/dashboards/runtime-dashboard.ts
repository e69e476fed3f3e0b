import { legendOf, type Queries } from "../queries/queries.ts";
import type { DashboardText } from "./build-dashboard.ts";
import { graph, number, whole } from "./panels.ts";

const answers = `**Is a process at its limits, or does the database hold it up?** Event loop, memory, garbage collection, CPU and file descriptors of each process, and its statements and connections.
The embedded database has one connection, so it is used or idle as a whole: what matters is whether statements wait. A start of the process is a vertical line.`;

/** What each process uses, and its database. */
export function runtimeDashboard(query: Queries): DashboardText {
  const instance = legendOf("instance");
  const operation = legendOf("db.operation.name");
  const notScraped = "No process of the backend is scraped";
  const noStatements = "No statement in this time";

  return {
    uid: "mlops-backend-runtime",
    description: "Event loop, garbage collection, heap, CPU, file descriptors, database statements and connections.",
    answers,
    panels: [
      number({
        title: "Version",
        description: "Version and revision that run, by number of processes. Two during an update, one after it.",
        unit: whole,
        noValue: notScraped,
        targets: [
          [`${legendOf("version")} ${legendOf("revision")}`, query.processSum("buildInfo", ["version", "revision"])],
        ],
      }),
      number({
        title: "Running since",
        description: "How long each process has been running.",
        unit: "s",
        noValue: notScraped,
        targets: [[instance, `time() - ${query.processGauge("processStartTime")}`]],
      }),
      number({
        title: "Restarts",
        description: "Starts of a process in the time range, its first aside.",
        unit: whole,
        noValue: notScraped,
        colours: ["green", [1, "orange"], [3, "red"]],
        targets: [[instance, query.changes("processStartTime")]],
      }),
      number({
        title: "Event-loop delay, p99",
        description: "Of the process where it is worst; above 0.1 s requests feel it.",
        unit: "s",
        noValue: notScraped,
        colours: ["green", [0.1, "orange"], [0.5, "red"]],
        targets: [["99th percentile", `max(${query.processGauge("eventLoopDelayP99")})`]],
      }),
      number({
        title: "Heap used",
        description: "Share of the size at which the process ends, where it is highest.",
        unit: "percentunit",
        noValue: notScraped,
        colours: ["green", [0.7, "orange"], [0.9, "red"]],
        targets: [["Heap", `max(${query.processGauge("heapUsed")} / ${query.processGauge("heapSizeLimit")})`]],
      }),
      number({
        title: "State readable",
        description: "Off: the database did not answer the last scrape, and the figures of the deployment are missing.",
        unit: "bool_yes_no",
        noValue: notScraped,
        colours: ["red", [1, "green"]],
        targets: [[instance, query.processGauge("stateReadable")]],
      }),
      graph({
        title: "Event-loop delay",
        description: "How late timers run, over the last 30 to 60 s; above 0.1 s requests feel it.",
        unit: "s",
        noValue: notScraped,
        colours: ["green", [0.1, "orange"], [1, "red"]],
        targets: [
          [`Median, ${instance}`, query.processGauge("eventLoopDelayP50")],
          [`99th percentile, ${instance}`, query.processGauge("eventLoopDelayP99")],
          [`Longest, ${instance}`, query.processGauge("eventLoopDelayMax")],
        ],
      }),
      graph({
        title: "Share of time in garbage collection",
        description: "By kind, of the process where it is most; the event loop stands still meanwhile.",
        unit: "percentunit",
        noValue: "Nothing was collected in this time",
        targets: [[legendOf("v8js.gc.type"), query.highestSumRate("gcDuration", ["v8js.gc.type"])]],
      }),
      graph({
        title: "Garbage collection, p99",
        description: "How long the longest ones take, by kind.",
        unit: "s",
        noValue: "Nothing was collected in this time",
        targets: [[legendOf("v8js.gc.type"), query.quantile(0.99, "gcDuration", ["v8js.gc.type"])]],
      }),
      graph({
        title: "Heap",
        description: "In use, and the size at which the process ends.",
        unit: "bytes",
        noValue: notScraped,
        targets: [
          [`In use, ${instance}`, query.processGauge("heapUsed")],
          [`Limit, ${instance}`, query.processGauge("heapSizeLimit")],
        ],
      }),
      graph({
        title: "Resident memory",
        description: "Heap, buffers and the embedded database together; processes that train are not in it.",
        unit: "bytes",
        noValue: notScraped,
        targets: [[instance, query.processGauge("processMemory")]],
      }),
      graph({
        title: "CPU",
        description: "1 is one core; trainings run in processes of their own and are not in it.",
        unit: "short",
        noValue: notScraped,
        targets: [[instance, query.rateOfInstance("processCpu")]],
      }),
      graph({
        title: "File descriptors",
        description: "Open, and the most that are allowed; at the limit connections and files fail.",
        unit: whole,
        noValue: "Linux only",
        targets: [
          [`Open, ${instance}`, query.processGauge("processOpenFds")],
          [`Limit, ${instance}`, query.processGauge("processMaxFds")],
        ],
      }),
      graph({
        title: "Database statements",
        description: "A second, by kind.",
        unit: "ops",
        noValue: noStatements,
        targets: [[operation, query.histogramRate("databaseOperationDuration", ["db.operation.name"])]],
      }),
      graph({
        title: "Time of database statements, p95",
        description: "Waiting for a connection not included.",
        unit: "s",
        noValue: noStatements,
        targets: [[operation, query.quantile(0.95, "databaseOperationDuration", ["db.operation.name"])]],
      }),
      graph({
        title: "Database connections",
        description: "Used and idle, and the most there can be; the embedded database has one.",
        unit: whole,
        noValue: notScraped,
        targets: [
          [`${legendOf("db.client.connection.state")}, ${instance}`, query.processGauge("databaseConnections")],
          [`Most, ${instance}`, query.processGauge("databaseConnectionsMax")],
        ],
        span: 12,
      }),
      graph({
        title: "Statements waiting for a connection",
        description: "Above 0 for minutes: more work than connections, or a statement that hangs.",
        unit: whole,
        noValue: notScraped,
        colours: ["green", [1, "orange"]],
        targets: [[instance, query.processGauge("databaseConnectionsPending")]],
        span: 12,
      }),
    ],
  };
}
