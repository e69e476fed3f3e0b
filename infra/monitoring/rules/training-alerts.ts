import { callersRunErrorTypes } from "../../../otel/api/catalogue/training.ts";
import { type AlertFamily, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { counterOf, repeated, valuesOf } from "./case-values.ts";

const file = "training";

const jobs = (state: string, values: string, instance = "a") =>
  caseSeries(sampleName("trainingQueueJobs"), { instance, state }, values);
const oldestAge = (values: string, instance = "a") =>
  caseSeries(sampleName("trainingQueueOldestAge"), { instance }, values);
const slots = (busy: string, instance = "a") =>
  caseSeries(sampleName("trainingWorkerSlots"), { instance, state: "busy" }, busy);
const runs = (outcome: string, values: string, instance = "a") =>
  caseSeries(sampleName("trainingRuns"), { instance, mode: "light", task: "regression", outcome }, values);
const failures = (error_type: string, values: string, instance = "a") =>
  caseSeries(sampleName("trainingFailures"), { instance, mode: "light", error_type }, values);
const process = (instance: string, values: string) =>
  caseSeries(sampleName("buildInfo"), { instance, version: "1", revision: "r", node: "24" }, values);
const each = (minutes: number, count: number): number[] => repeated(minutes, count);
const rising = (minutes: number, perMinute: number, from = 0): string =>
  valuesOf(Array.from({ length: minutes }, (_, minute) => from + minute * perMinute));

/** One each hour. */
const hourly = (count: number): number[] => [...repeated(count, [...each(59, 0), 1]).flat(), ...each(60, 0)];
/** Falls from 95 to 50 within 46 minutes, and then grows slowly. */
const falling = Array.from({ length: 46 }, (_, minute) => 95 - minute);
const growing = Array.from({ length: 104 }, (_, minute) => 50 + 0.25 * minute);

/** Alerts on the queue and on what comes out of it. */
export const trainingAlerts: readonly AlertFamily[] = [
  alertFamily(
    file,
    "TrainingQueueStalled",
    ({ deployment, select, duration }) => [
      {
        severity: "critical",
        expr: [
          `sum without (state) (${deployment("trainingQueueJobs", { state: '=~"queued|retry"' })}) > 0`,
          // A run that is cancelled while it waits is not finished.
          `and sum by (job) (increase(${select("trainingRuns", { outcome: '!="cancelled"' })}[${duration(300)}])) == 0`,
          `and sum by (job) (${select("trainingWorkerSlots", { state: '="busy"' })}) == 0`,
        ].join("\n"),
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "Runs wait although places are free.",
        description: "{{ $value }} runs wait, no place is busy, and none has finished for 5 minutes.",
        dashboard: "training",
      },
    ],
    (rule) => [
      firingCase(
        "two wait as both replicas read it, both are idle, until one takes a run",
        [
          jobs("queued", "1x30"),
          jobs("queued", "1x30", "b"),
          // Its reading is older.
          jobs("queued", "0x30", "c"),
          jobs("retry", "0x30", "c"),
          jobs("retry", "1x30"),
          jobs("retry", "1x30", "b"),
          jobs("failed", "7x30"),
          slots("0x30"),
          slots(held([0, 14], [1, 16]), "b"),
          runs("succeeded", counterOf([...each(2, 3), ...each(28, 0)])),
          runs("cancelled", counterOf(each(30, 1))),
        ],
        {
          rule,
          labels: { job: "backend" },
          description: "2 runs wait, no place is busy, and none has finished for 5 minutes.",
          // The range of the last finish ends in minute 6.
          pendingAt: 10,
          firesAt: 11,
          stillAt: 18,
          goneAt: 19,
        },
      ),
      firingCase("a single one waits", [jobs("queued", "1x30"), slots("0x30"), runs("succeeded", "3x30")], {
        rule,
        labels: { job: "backend" },
        description: "1 runs wait, no place is busy, and none has finished for 5 minutes.",
        pendingAt: 5,
        firesAt: 6,
      }),
      quietCase(
        "one of two replicas is busy",
        [
          jobs("queued", "5x30"),
          jobs("queued", "5x30", "b"),
          slots("0x30"),
          slots("1x30", "b"),
          runs("succeeded", "3x30"),
        ],
        11,
        30,
      ),
      quietCase(
        "runs so short that no scrape sees a busy place",
        [jobs("queued", "5x30"), slots("0x30"), runs("succeeded", "0+4x30")],
        11,
        30,
      ),
      quietCase("nothing waits", [jobs("queued", "0x30"), slots("0x30"), runs("succeeded", "3x30")], 11, 30),
      quietCase(
        "just started with a queue, and the first run is taken",
        [jobs("queued", held([3, 5], [0, 20])), slots(held([0, 3], [1, 20])), runs("succeeded", "0x30")],
        6,
        20,
      ),
    ],
  ),
  alertFamily(
    file,
    "TrainingQueueBacklog",
    ({ deployment, select, duration }) => [
      {
        severity: "warning",
        expr: [
          `${deployment("trainingQueueOldestAge")} > 600`,
          `and max without (instance, state) (deriv(${select("trainingQueueJobs", { state: '="queued"' })}[${duration(1_800)}])) > 0`,
        ].join("\n"),
        forSeconds: 600,
        keepFiringForSeconds: 600,
        summary: "More runs are submitted than are worked off.",
        description:
          "The oldest run has waited for {{ $value | humanizeDuration }}, and the queue has grown for 30 minutes.",
        dashboard: "training",
      },
    ],
    (rule) => [
      firingCase(
        "an hour ago many were worked off, but now it grows, as two replicas read it, until somebody adds a worker",
        [
          oldestAge(held([600, 120], [0, 30])),
          oldestAge(held([601, 120], [0, 30]), "b"),
          jobs("queued", valuesOf([...falling, ...growing])),
          jobs("queued", valuesOf([...falling, ...growing]), "b"),
          // It has not read since.
          jobs("queued", "50x150", "c"),
        ],
        {
          rule,
          labels: { job: "backend" },
          description: rule.description.replace(/{{.*}}/, "10m 1s"),
          // A straight line through the last 30 minutes rises since minute 67.
          pendingAt: 76,
          firesAt: 77,
          stillAt: 129,
          goneAt: 130,
        },
      ),
      quietCase(
        "it was worked off until a moment ago",
        [oldestAge("900x60"), jobs("queued", valuesOf([...falling.slice(0, 46), ...growing.slice(0, 14)]))],
        57,
        59,
      ),
      quietCase("old, but the queue gets shorter", [oldestAge("900x60"), jobs("queued", rising(60, -0.1, 20))], 11, 60),
      quietCase("old, and as long as ever", [oldestAge("900x60"), jobs("queued", "5x60")], 11, 60),
      quietCase("longer, but ten minutes old at most", [oldestAge("600x60"), jobs("queued", rising(60, 1))], 11, 60),
    ],
  ),
  alertFamily(
    file,
    "TrainingWorkersMissing",
    ({ select }) => [
      {
        severity: "critical",
        expr: `count by (job) (${select("buildInfo")}) unless count by (job) (${select("trainingWorkerSlots")})`,
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "No process trains.",
        description: "{{ $value }} processes are there, and none of them has places for trainings.",
        dashboard: "training",
      },
    ],
    (rule) => [
      firingCase(
        "the only worker goes, two others stay, and it comes back",
        [
          process("a", "1x30"),
          process("b", "1x30"),
          process("c", "1x4 stale _x6 1x10"),
          slots("0x4 stale _x6 0x10", "c"),
        ],
        {
          rule,
          labels: { job: "backend" },
          description: "2 processes are there, and none of them has places for trainings.",
          pendingAt: 9,
          firesAt: 10,
          stillAt: 16,
          goneAt: 17,
        },
      ),
      quietCase("one of three is a worker", [process("a", "1x30"), process("b", "1x30"), slots("0x30", "b")], 5, 30),
      quietCase("nothing is there at all: another alert's matter", [], 5, 30),
    ],
  ),
  alertFamily(
    file,
    "TrainingDataFaultsHigh",
    ({ select, duration }) => {
      const range = duration(21_600);
      const faults = `sum by (job) (increase(${select("trainingFailures", { "error.type": `=~"${callersRunErrorTypes.join("|")}"` })}[${range}]))`;
      return [
        {
          severity: "ticket",
          expr: [
            `${faults} / sum by (job) (increase(${select("trainingRuns", { outcome: '!="cancelled"' })}[${range}])) > 0.25`,
            `and ${faults} > 4.5`,
          ].join("\n"),
          forSeconds: 900,
          keepFiringForSeconds: 3_600,
          summary: "Many runs fail because of their data.",
          description:
            "{{ $value | humanizePercentage }} of the runs of the last 6 hours failed because of their data.",
          dashboard: "training",
        },
      ];
    },
    (rule) => [
      firingCase(
        "after an hour of better data three of ten on two replicas, then none",
        [
          failures("data", counterOf([...each(60, 0), ...each(360, 2.25), ...each(240, 0)])),
          failures("out_of_memory", counterOf([...each(60, 0), ...each(360, 0.75), ...each(240, 0)]), "b"),
          failures("timeout", counterOf(each(660, 2))),
          runs("failed", counterOf([...each(60, 2), ...each(360, 3), ...each(240, 2)])),
          runs("succeeded", counterOf([...each(60, 5), ...each(360, 7), ...each(240, 8)]), "b"),
          runs("cancelled", counterOf(each(660, 50))),
        ],
        {
          rule,
          labels: { job: "backend" },
          // More than a quarter since minute 271; 678 of 2,680 when it fires. 900 of 3,590 in minute 479, the last of them.
          description: rule.description.replace(/{{.*}}/, "25.3%"),
          pendingAt: 285,
          firesAt: 286,
          stillAt: 538,
          goneAt: 540,
          stillDescription: rule.description.replace(/{{.*}}/, "25.07%"),
        },
      ),
      firingCase(
        "five of five within 5 hours on two replicas, all because of their data",
        [
          failures("data", counterOf([...hourly(3), ...each(120, 0)])),
          failures("data", counterOf([...each(180, 0), ...hourly(2)]), "b"),
          runs("failed", counterOf(hourly(5))),
        ],
        { rule, labels: { job: "backend" }, description: rule.description.replace(/{{.*}}/, "100%"), firesAt: 320 },
      ),
      quietCase(
        "four of four within 6 hours, and one before",
        [
          failures("data", counterOf([1, ...each(119, 0), ...hourly(4)])),
          runs("failed", counterOf([1, ...each(119, 0), ...hourly(4)])),
        ],
        380,
        400,
      ),
      quietCase(
        "four of four",
        [
          failures("data", counterOf([1, 1, 1, 1, ...each(60, 0)])),
          runs("failed", counterOf([1, 1, 1, 1, ...each(60, 0)])),
        ],
        20,
        60,
      ),
      quietCase(
        "between four and five, exactly",
        [failures("data", counterOf([4.5, ...each(60, 0)], 0)), runs("failed", counterOf([4.5, ...each(60, 0)], 0))],
        20,
        60,
      ),
      quietCase(
        "one of four",
        [
          failures("data", counterOf(each(60, 1))),
          runs("failed", counterOf(each(60, 1))),
          runs("succeeded", counterOf(each(60, 3))),
        ],
        20,
        60,
      ),
    ],
  ),
];
