import type { AlertFamily } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { counterOf, repeated } from "./case-values.ts";

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
          ].join("\n"),
          forSeconds: 120,
          keepFiringForSeconds: 300,
          summary: "Uploads fail through the service's fault.",
          description:
            "{{ $value | humanizePercentage }} of the uploads that were not refused failed in the last 15 minutes.",
          dashboard: "datasets",
        },
      ];
    },
    (rule) => [
      firingCase(
        "one in eight fails, then none",
        [
          uploads("failed", counterOf([...each(10, 1), ...each(30, 0)])),
          uploads("accepted", counterOf(each(40, 6))),
          uploads("duplicate", counterOf(each(40, 1))),
          uploads("rejected", counterOf(each(40, 50))),
          uploads("aborted", counterOf(each(40, 50))),
          uploads("failed", counterOf(each(40, 0)), "b"),
        ],
        {
          rule,
          labels: { job: "backend" },
          description: rule.description.replace(/{{.*}}/, "12.5%"),
          // Three at least since minute 3, and more than a tenth until minute 12: 10 of 94.
          pendingAt: 4,
          firesAt: 5,
          stillAt: 17,
          goneAt: 18,
          stillDescription: rule.description.replace(/{{.*}}/, "10.64%"),
        },
      ),
      firingCase("all fail, as few as count", [uploads("failed", counterOf([...each(3, 1), ...each(5, 0)]))], {
        rule,
        labels: { job: "backend" },
        description: rule.description.replace(/{{.*}}/, "100%"),
        firesAt: 5,
      }),
      quietCase(
        "two fail, and nothing else happens",
        [uploads("failed", counterOf([0, 1, 1, ...each(10, 0)]))],
        3,
        6,
        12,
      ),
      quietCase(
        "one in sixteen fails",
        [uploads("failed", counterOf(each(30, 1))), uploads("accepted", counterOf(each(30, 15)))],
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
        keepFiringForSeconds: 0,
        summary: "Files that rows refer to are gone.",
        description: "The last sweep did not find the files of {{ $value }} rows of kind {{ $labels.kind }}.",
        dashboard: "datasets",
      },
    ],
    (rule) => [
      firingCase(
        "one file of a dataset, as two replicas read it",
        [
          files("dataset", held([1, 8], [0, 4])),
          files("dataset", held([1, 8], [0, 4]), "b"),
          files("artifact", "0x12"),
        ],
        {
          rule,
          labels: { job: "backend", kind: "dataset" },
          description: "The last sweep did not find the files of 1 rows of kind dataset.",
          pendingAt: 4,
          firesAt: 5,
          stillAt: 7,
          goneAt: 8,
        },
      ),
      quietCase("none", [files("dataset", "0x10"), files("artifact", "0x10")], 5, 10),
    ],
  ),
];
