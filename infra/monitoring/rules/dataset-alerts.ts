import { type AlertFamily, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { counterOf, repeated } from "./case-values.ts";
import { knownCauseSeries, unlessExplained } from "./known-causes.ts";

const uploads = (outcome: string, values: string, instance = "a") =>
  caseSeries(sampleName("datasetUploads"), { instance, outcome }, values);
/** So many a minute, for some minutes. */
const each = (minutes: number, count: number): number[] => repeated(minutes, count);

const files = (kind: string, values: string, instance = "a") =>
  caseSeries(sampleName("filesMissing"), { instance, kind }, values);

/** Alerts on uploads and on the files of the storage. */
export const datasetAlerts: readonly AlertFamily[] = [
  alertFamily(
    "datasets",
    "DatasetUploadsFailing",
    ({ select, duration }) => {
      const recent = (outcome: string) =>
        `sum by (job) (increase(${select("datasetUploads", { outcome })}[${duration(900)}]))`;
      return [
        {
          severity: "critical",
          // What is rejected is the caller's, what is broken off nobody's.
          expr: [
            `${recent('="failed"')} / ${recent('=~"accepted|duplicate|failed"')} > 0.1`,
            `and ${recent('="failed"')} > 2.5`,
            unlessExplained("DatasetUploadsFailing"),
          ].join("\n"),
          forSeconds: 180,
          keepFiringForSeconds: settlingSeconds,
          summary: "Uploads fail through the service's fault.",
          description:
            "{{ $value | humanizePercentage }} of the uploads that were not refused failed in the last 15 minutes.",
          dashboard: "datasets",
        },
      ];
    },
    (rule) => [
      firingCase(
        "an hour without a fault, then one in eight fails, and then none",
        [
          uploads("failed", counterOf([...each(60, 0), ...each(12, 0.75), ...each(30, 0)])),
          uploads("failed", counterOf([...each(60, 0), ...each(12, 0.25), ...each(30, 0)]), "b"),
          uploads("accepted", counterOf([...each(60, 2), ...each(42, 6)])),
          uploads("duplicate", counterOf([...each(60, 1), ...each(42, 1)]), "b"),
          uploads("rejected", counterOf(each(102, 50))),
          uploads("aborted", counterOf(each(102, 50))),
        ],
        {
          rule,
          labels: { job: "backend" },
          // A minute's samples show the last 14. More than a tenth since minute 69: 9 of 9 + 63 + 15; 12 of 102 when it
          // fires. 11 of 109 in minute 75, which is the last that has more.
          description: rule.description.replace(/{{.*}}/, "11.76%"),
          pendingAt: 71,
          firesAt: 72,
          stillAt: 80,
          goneAt: 81,
          stillDescription: rule.description.replace(/{{.*}}/, "10.09%"),
        },
      ),
      quietCase(
        "all of two fail, and one 20 minutes ago",
        [uploads("failed", counterOf([...each(10, 0), 1, ...each(15, 0), 1, 1, ...each(12, 0)]))],
        28,
        30,
        40,
      ),
      firingCase(
        "all fail, as few as count, on two replicas within 12 minutes",
        [
          uploads("failed", counterOf([...each(5, 0), 1, ...each(8, 0), 1, ...each(12, 0)])),
          uploads("failed", counterOf([...each(11, 0), 1, ...each(10, 0)]), "b"),
          // Explained are others.
          caseSeries(knownCauseSeries, { job: "other", effect: rule.name, by: "cause" }, "1x30"),
          caseSeries(knownCauseSeries, { effect: "HttpAvailabilityBudgetBurn", by: "cause" }, "1x30"),
          caseSeries(knownCauseSeries, { effect: rule.name, by: "burn" }, "1x30"),
        ],
        { rule, labels: { job: "backend" }, description: rule.description.replace(/{{.*}}/, "100%"), firesAt: 18 },
      ),
      quietCase(
        "all fail, and what is its cause is told",
        [
          uploads("failed", counterOf(each(20, 1))),
          caseSeries(knownCauseSeries, { effect: rule.name, by: "cause" }, "1x20"),
        ],
        6,
        20,
      ),
      quietCase(
        "two fail, and nothing else happens",
        [uploads("failed", counterOf([0, 1, 1, ...each(10, 0)]))],
        3,
        6,
        12,
      ),
      quietCase("between two and three fail, exactly", [uploads("failed", counterOf([2.5, ...each(20, 0)], 0))], 4, 12),
      quietCase(
        "one in ten fails",
        [uploads("failed", counterOf(each(30, 1))), uploads("accepted", counterOf(each(30, 9)))],
        4,
        30,
      ),
      quietCase(
        "the process starts anew and its counter with it",
        [uploads("failed", `100x10 0x10`), uploads("accepted", "500x10 0x10")],
        12,
        20,
      ),
    ],
  ),
  alertFamily(
    "datasets",
    "FilesMissing",
    ({ deployment }) => [
      {
        severity: "critical",
        expr: `${deployment("filesMissing")} > 0`,
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "Files that rows refer to are gone.",
        description: "The last sweep did not find the files of {{ $value }} rows of kind {{ $labels.kind }}.",
        dashboard: "datasets",
      },
    ],
    (rule) => [
      firingCase(
        "one file of a dataset, as two replicas read it",
        [
          files("dataset", held([1, 8], [0, 10])),
          files("dataset", held([1, 8], [0, 10]), "b"),
          // Its last sweep was before.
          files("dataset", "0x18", "c"),
          files("artifact", "0x18"),
        ],
        {
          rule,
          labels: { job: "backend", kind: "dataset" },
          description: "The last sweep did not find the files of 1 rows of kind dataset.",
          pendingAt: 4,
          firesAt: 5,
          stillAt: 12,
          goneAt: 13,
        },
      ),
      quietCase("none", [files("dataset", "0x10"), files("artifact", "0x10")], 5, 10),
    ],
  ),
];
