import { type AlertFamily, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { valuesOf } from "./case-values.ts";

const gib = 1024 ** 3;
const size = 10 * gib;
/** A file system of 10 GiB with so many bytes free, as one replica reads it. */
const disk = (available: string, instance = "a") => [
  caseSeries(sampleName("storageFilesystemAvailable"), { instance }, available),
  caseSeries(sampleName("storageFilesystemSize"), { instance }, `${size}x2000`),
];
/** GiB free that fall by the same amount each minute, and stay from some minute on. */
const falling = (from: number, perMinute: number, minutes: number, until = minutes): string =>
  valuesOf(Array.from({ length: minutes }, (_, minute) => gib * (from - perMinute * Math.min(minute, until))));
/** GiB free, with the number of minutes that each stays. */
const free = (...parts: readonly (readonly [gibibytes: number, minutes: number])[]): string =>
  held(...parts.map(([gibibytes, minutes]) => [gibibytes * gib, minutes] as const));

/** Below it an upload of the largest size, with what else is being written, is not sure to fit; the default of MIN_FREE_DISK_BYTES. */
const fullBelowBytes = 64 * 1024 * 1024;

/** Alerts on the disk that holds the files. */
export const storageAlerts: readonly AlertFamily[] = [
  alertFamily(
    "storage",
    "StorageNearlyFull",
    ({ select, duration, seconds }) => {
      const available = select("storageFilesystemAvailable");
      const share = `min by (job) (${available} / ${select("storageFilesystemSize")})`;
      return [
        {
          severity: "critical",
          // Stands for what fails because of it (known-causes.ts), and says so before it does.
          labels: { reason: "full" },
          expr: `min by (job) (${available}) < ${fullBelowBytes}`,
          forSeconds: 120,
          keepFiringForSeconds: settlingSeconds,
          summary: "The disk of the files is full.",
          description:
            "{{ $value | humanize1024 }}B of the file system of the files are free: uploads and trainings fail.",
          dashboard: "datasets",
        },
        {
          severity: "critical",
          labels: { reason: "share" },
          expr: `${share} < 0.05`,
          forSeconds: 300,
          keepFiringForSeconds: settlingSeconds,
          summary: "The disk of the files is nearly full.",
          description: "{{ $value | humanizePercentage }} of the file system of the files is free.",
          dashboard: "datasets",
        },
        {
          severity: "warning",
          labels: { reason: "prediction" },
          // A disk that is mostly free may fill for hours without harm.
          expr: [
            `${share} < 0.3`,
            `and min by (job) (predict_linear(${available}[${duration(21_600)}], ${seconds(86_400)})) < 0`,
          ].join("\n"),
          forSeconds: 1_800,
          keepFiringForSeconds: 1_800,
          summary: "The disk of the files will be full within a day.",
          description:
            "{{ $value | humanizePercentage }} of the file system of the files is free, and at the pace of the last 6 hours nothing will be in a day.",
          dashboard: "datasets",
        },
      ];
    },
    (byBytes, byShare, byPrediction) => [
      firingCase(
        "4% free on one of two replicas, then room is made",
        [...disk(free([0.4, 10], [8, 20])), ...disk(free([9, 30]), "b")],
        {
          rule: byShare,
          labels: { job: "backend" },
          description: "4% of the file system of the files is free.",
          pendingAt: 4,
          firesAt: 5,
          stillAt: 14,
          goneAt: 15,
        },
      ),
      quietCase("5% free, and it stays so", disk(free([0.5, 60])), 5, 60),
      quietCase("4% free for three minutes", disk(free([0.6, 5], [0.4, 3], [0.6, 10])), 7, 12),
      firingCase(
        "28% free and falling by 1.2% an hour, then no more",
        [...disk(falling(2.8, 0.002, 900, 400)), ...disk(free([9, 900]), "b")],
        {
          rule: byPrediction,
          labels: { job: "backend" },
          // 0.002 a minute are 2.88 in a day, more than there is from the beginning.
          description: byPrediction.description.replace("{{ $value | humanizePercentage }}", "27.38%"),
          pendingAt: 30,
          firesAt: 31,
          // The slope over 6 hours is too flat from minute 541 on.
          stillAt: 570,
          goneAt: 571,
          stillDescription: byPrediction.description.replace("{{ $value | humanizePercentage }}", "20%"),
        },
      ),
      quietCase(
        "exactly three tenths of a file system that shrinks",
        [
          caseSeries(sampleName("storageFilesystemAvailable"), { instance: "a" }, falling(3_000, 3, 100)),
          caseSeries(sampleName("storageFilesystemSize"), { instance: "a" }, falling(10_000, 10, 100)),
        ],
        31,
        99,
      ),
      {
        name: "nothing is free, and nothing was: no prediction",
        series: disk("0x60"),
        checks: [
          {
            atSeconds: 3_600,
            fire: [
              {
                rule: byBytes,
                labels: { job: "backend" },
                description: byBytes.description.replace(/{{.*}}/, "0"),
              },
              {
                rule: byShare,
                labels: { job: "backend" },
                description: "0% of the file system of the files is free.",
              },
            ],
          },
        ],
      },
      firingCase(
        "a byte less than is kept back on one of two, of disks so small that this is more than a twentieth, until room is made",
        [
          caseSeries(
            sampleName("storageFilesystemAvailable"),
            { instance: "a" },
            held([fullBelowBytes - 1, 10], [9e8, 20]),
          ),
          caseSeries(sampleName("storageFilesystemAvailable"), { instance: "b" }, "9e8x30"),
          ...["a", "b"].map((instance) => caseSeries(sampleName("storageFilesystemSize"), { instance }, "1e9x30")),
        ],
        {
          rule: byBytes,
          labels: { job: "backend" },
          description: byBytes.description.replace(/{{.*}}/, "64Mi"),
          pendingAt: 1,
          firesAt: 2,
          stillAt: 14,
          goneAt: 15,
        },
      ),
      quietCase(
        "as much as is kept back, of a disk that is small",
        [
          caseSeries(sampleName("storageFilesystemAvailable"), { instance: "a" }, `${fullBelowBytes}x30`),
          caseSeries(sampleName("storageFilesystemSize"), { instance: "a" }, "9e8x30"),
        ],
        5,
        30,
      ),
      quietCase("falling, but not by as much in a day as there is", disk(falling(2.8, 0.0012, 400)), 60, 399),
      quietCase("falling faster, with two fifths free", disk(falling(5, 0.004, 250)), 60, 249),
      quietCase("a short fall", disk(falling(2.8, 0.003, 400, 10)), 31, 60, 399),
    ],
  ),
];
