import { type AlertFamily, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { withCount } from "./rule-scope.ts";

const file = "process";
const labels = { job: "backend", instance: "a" };
const gauge = (key: Parameters<typeof sampleName>[0], values: string, instance = "a") =>
  caseSeries(sampleName(key), { instance }, values);
const valueIn = (text: string, value: string): string =>
  text.replace(/{{ \$value.*?}}/, value).replace(/{{ \$labels.instance }}/, "a");

/** Alerts on a process: its event loop, memory, descriptors, restarts and database connections. */
export const processAlerts: readonly AlertFamily[] = [
  alertFamily(
    file,
    "EventLoopBlocked",
    ({ select }) => [
      {
        severity: "critical",
        // The longest delay and not a quantile: a block of a second every ten is one of a thousand delays. The gauge
        // looks back 30 to 60 s, so this fires when the loop was blocked at least once in each minute; earlier than the
        // latency that it costs (known-causes.ts).
        expr: `${select("eventLoopDelayMax")} > 1`,
        forSeconds: 120,
        keepFiringForSeconds: settlingSeconds,
        summary: "The event loop of a process is blocked again and again.",
        description:
          "The event loop of {{ $labels.instance }} was blocked for {{ $value | humanizeDuration }} within the last minute.",
        dashboard: "runtime",
      },
    ],
    (rule) => [
      firingCase(
        "a little more than a second in each minute, then no more",
        [gauge("eventLoopDelayMax", held([1.001, 10], [0.02, 10])), gauge("eventLoopDelayMax", "0.02x20", "b")],
        {
          rule,
          labels,
          description: valueIn(rule.description, "1.001s"),
          pendingAt: 1,
          firesAt: 2,
          stillAt: 14,
          goneAt: 15,
        },
      ),
      quietCase("a second in each minute", [gauge("eventLoopDelayMax", "1x20")], 5, 20),
      quietCase("once 8 s", [gauge("eventLoopDelayMax", held([0, 3], [8, 2], [0, 10]))], 5, 9),
    ],
  ),
  alertFamily(
    file,
    "HeapNearLimit",
    ({ select }) => [
      {
        severity: "critical",
        expr: `${select("heapUsed")} / ${select("heapSizeLimit")} > 0.9`,
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "A process is about to run out of heap.",
        description:
          "{{ $value | humanizePercentage }} of the heap of {{ $labels.instance }} is in use; at its limit V8 ends the process.",
        dashboard: "runtime",
      },
    ],
    (rule) => [
      firingCase(
        "a little more than 90% for a while",
        [gauge("heapUsed", held([901, 10], [400, 10])), gauge("heapSizeLimit", "1000x20")],
        {
          rule,
          labels,
          description: valueIn(rule.description, "90.1%"),
          pendingAt: 4,
          firesAt: 5,
          stillAt: 14,
          goneAt: 15,
        },
      ),
      quietCase("90%", [gauge("heapUsed", "900x20"), gauge("heapSizeLimit", "1000x20")], 5, 20),
      quietCase(
        "95% until the next collection",
        [gauge("heapUsed", held([950, 3], [300, 2], [950, 3], [300, 5])), gauge("heapSizeLimit", "1000x20")],
        5,
        8,
        12,
      ),
    ],
  ),
  alertFamily(
    file,
    "FileDescriptorsNearLimit",
    ({ select }) => [
      {
        severity: "critical",
        expr: `${select("processOpenFds")} / ${select("processMaxFds")} > 0.8`,
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "A process is about to run out of file descriptors.",
        description:
          "{{ $value | humanizePercentage }} of the file descriptors of {{ $labels.instance }} are open; beyond its limit it accepts no connection.",
        dashboard: "runtime",
      },
    ],
    (rule) => [
      firingCase(
        "a little more than 80% for a while",
        [gauge("processOpenFds", held([801, 10], [400, 10])), gauge("processMaxFds", "1000x20")],
        {
          rule,
          labels,
          description: valueIn(rule.description, "80.1%"),
          pendingAt: 4,
          firesAt: 5,
          stillAt: 14,
          goneAt: 15,
        },
      ),
      quietCase("80%", [gauge("processOpenFds", "800x20"), gauge("processMaxFds", "1000x20")], 5, 20),
    ],
  ),
  alertFamily(
    file,
    "ProcessRestarting",
    ({ select, duration }) => [
      {
        severity: "critical",
        expr: `changes(${select("processStartTime")}[${duration(1_800)}]) > 2`,
        forSeconds: 0,
        keepFiringForSeconds: settlingSeconds,
        summary: "A process starts again and again.",
        description: "{{ $labels.instance }} was started {{ $value }} times within 30 minutes.",
        dashboard: "runtime",
      },
    ],
    (rule) => [
      firingCase(
        "three restarts, with gaps, and then none",
        [gauge("processStartTime", "100x4 _x3 800x4 _x3 1200x4 _ 1900x60"), gauge("processStartTime", "100x60", "b")],
        {
          rule,
          labels,
          description: valueIn(rule.description, "3"),
          // The third is seen in minute 22, and the range leaves the first behind in minute 34.
          pendingAt: 21,
          firesAt: 22,
          stillAt: 38,
          goneAt: 39,
        },
      ),
      quietCase("two restarts", [gauge("processStartTime", "100x4 _x3 800x4 _x3 1200x60")], 15, 30),
      quietCase(
        "three restarts in an hour",
        [gauge("processStartTime", "100x19 1300x19 2500x19 3700x60")],
        21,
        41,
        61,
        90,
      ),
    ],
  ),
  alertFamily(
    file,
    "DatabasePoolSaturated",
    ({ select }) => [
      {
        severity: "warning",
        // Never used by max: the embedded database has one connection, which is 1 of 1 whenever it is busy.
        expr: `${select("databaseConnectionsPending")} > 0`,
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "Statements wait for a database connection.",
        description:
          "{{ $value }} statements of {{ $labels.instance }} wait for a connection, and some have at each scrape of 5 minutes.",
        dashboard: "runtime",
      },
    ],
    (rule) => [
      firingCase("one waits at each scrape, then none", [gauge("databaseConnectionsPending", held([1, 10], [0, 10]))], {
        rule,
        labels,
        description: valueIn(rule.description, "1"),
        pendingAt: 4,
        firesAt: 5,
        stillAt: 14,
        goneAt: 15,
      }),
      quietCase(
        "the only connection is busy, and nobody waits",
        [
          gauge("databaseConnectionsPending", "0x20"),
          gauge("databaseConnectionsMax", "1x20"),
          caseSeries(sampleName("databaseConnections"), { instance: "a", db_client_connection_state: "used" }, "1x20"),
        ],
        5,
        20,
      ),
      quietCase(
        "many wait, but not for long",
        [gauge("databaseConnectionsPending", held([0, 2], [40, 4], [0, 10]))],
        5,
        7,
        10,
      ),
    ],
  ),
  alertFamily(
    file,
    "StateUnreadable",
    ({ select }) => [
      {
        severity: "critical",
        expr: withCount(`${select("stateReadable")} == 0`),
        forSeconds: 120,
        keepFiringForSeconds: settlingSeconds,
        summary: "A process can't read the database.",
        description:
          "{{ $labels.instance }} could not read the deployment's state for two minutes; in all {{ $value }} can't. What is queued, stored or expired is not known where none can.",
        dashboard: "overview",
      },
    ],
    (rule) => [
      firingCase(
        "one of three replicas, until it can again",
        [
          gauge("stateReadable", held([0, 6], [1, 10])),
          gauge("stateReadable", "1x16", "b"),
          gauge("stateReadable", "1x16", "c"),
        ],
        {
          rule,
          labels,
          description: valueIn(rule.description, "1"),
          pendingAt: 1,
          firesAt: 2,
          stillAt: 10,
          goneAt: 11,
        },
      ),
      {
        name: "two of three replicas",
        series: [gauge("stateReadable", "0x8"), gauge("stateReadable", "0x8", "b"), gauge("stateReadable", "1x8", "c")],
        checks: [
          {
            atSeconds: 120,
            fire: ["a", "b"].map((instance) => ({
              rule,
              labels: { ...labels, instance },
              description: rule.description.replace(/{{ \$labels.instance }}/, instance).replace(/{{ \$value }}/, "2"),
            })),
          },
        ],
      },
      quietCase("one scrape", [gauge("stateReadable", held([1, 3], [0, 1], [1, 6]))], 3, 5, 9),
    ],
  ),
];
