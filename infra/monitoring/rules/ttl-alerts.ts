import { type AlertFamily, type CaseSeries, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { counterOf, repeated, valuesOf } from "./case-values.ts";

const file = "ttl";
const objective = "dataset_ttl";
const interval = 3_600;

const gauge = (key: "ttlLag" | "ttlLastSuccess" | "ttlInterval" | "ttlEnabled", values: string, instance: string) =>
  caseSeries(sampleName(key), { instance }, values);

/**
 * What three replicas say of a deployment that expires datasets each hour, the third one with older readings and other
 * settings. In a case time begins with 0; the last success is half a minute later, so that adding it up over replicas
 * shows.
 */
function deployment(
  lag: string,
  lastSuccess: string,
  { isEnabled = true, minutes = 300, intervalSeconds = interval } = {},
): CaseSeries[] {
  const replica = (instance: string, ...[own, last, seconds, enabled]: readonly [string, string, number, number]) => [
    gauge("ttlLag", own, instance),
    gauge("ttlLastSuccess", last, instance),
    gauge("ttlInterval", `${seconds}x${minutes}`, instance),
    gauge("ttlEnabled", `${enabled}x${minutes}`, instance),
  ];
  const ofMost = [lag, lastSuccess, intervalSeconds, isEnabled ? 1 : 0] as const;
  const behind = [`0x${minutes}`, `-1000000x${minutes}`, intervalSeconds / 2, 0] as const;
  return [...replica("a", ...ofMost), ...replica("b", ...ofMost), ...replica("c", ...behind)];
}
const day = 1_440;
/** Cycles that failed in these minutes. */
const failures = (...minutes: readonly number[]) =>
  caseSeries(
    sampleName("ttlCycles"),
    { instance: "a", result: "failure" },
    counterOf(repeated(3 * day, 0).map((_, index) => (minutes.includes(index + 1) ? 1 : 0))),
  );
const successes = caseSeries(sampleName("ttlCycles"), { instance: "a", result: "success" }, "0+1x300");
/** The last success of cycles that all succeed. */
const hourly = valuesOf(Array.from({ length: 301 }, (_, minute) => Math.floor(minute / 60) * interval));

/** Alerts on the expiry of datasets; DatasetTtlStopped silences the other two, which share its objective. */
export const ttlAlerts: readonly AlertFamily[] = [
  alertFamily(
    file,
    "DatasetTtlLagging",
    ({ deployment: ofAll }) => [
      {
        severity: "warning",
        objective,
        expr: [`${ofAll("ttlLag")} > 2 * ${ofAll("ttlInterval")}`, `and ${ofAll("ttlEnabled")} == 1`].join("\n"),
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "Expired datasets are removed too late.",
        description:
          "The oldest expired dataset has outlived its TTL by {{ $value | humanizeDuration }}, more than two intervals.",
        dashboard: "datasets",
      },
    ],
    (rule) => [
      firingCase(
        "a little more than two intervals late, until a cycle removes it",
        deployment(held([7_201, 10], [0, 20]), "0x30"),
        {
          rule,
          labels: { job: "backend" },
          description: rule.description.replace(/{{.*}}/, "2h 0m 1s"),
          pendingAt: 4,
          firesAt: 5,
          stillAt: 14,
          goneAt: 15,
        },
      ),
      quietCase("exactly two intervals late", deployment("7200x30", "0x30"), 5, 30),
      quietCase("a short spike", deployment(held([0, 5], [9_000, 5], [0, 10]), "0x20"), 9, 15),
      quietCase("switched off", deployment("9000x30", "0x30", { isEnabled: false }), 5, 30),
    ],
  ),
  alertFamily(
    file,
    "DatasetTtlFailing",
    ({ deployment: ofAll, select, duration }) => [
      {
        severity: "warning",
        objective,
        // Two cycles in a row: the second one is due after two intervals, and may take a quarter of one. The range holds
        // for intervals up to a day; above, DatasetTtlStopped is all there is.
        expr: [
          `(time() - ${ofAll("ttlLastSuccess")}) / ${ofAll("ttlInterval")} > 2.25`,
          `and sum by (job) (increase(${select("ttlCycles", { result: '="failure"' })}[${duration(86_400)}])) > 0`,
          `and ${ofAll("ttlEnabled")} == 1`,
        ].join("\n"),
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "TTL cycles fail.",
        description:
          'No TTL cycle has succeeded for {{ printf "%.1f" $value }} intervals, and at least one ended with an error.',
        dashboard: "datasets",
      },
    ],
    (rule) => [
      firingCase(
        "two cycles in a row failed, the third succeeds",
        [...deployment("0x300", held([30, 180], [10_800, 20])), failures(60, 120), successes],
        {
          rule,
          labels: { job: "backend" },
          description: rule.description.replace(/{{.*}}/, "2.3"),
          // 2.25 intervals are over after 135.5 minutes.
          pendingAt: 140,
          firesAt: 141,
          stillAt: 184,
          goneAt: 185,
          stillDescription: rule.description.replace(/{{.*}}/, "3.0"),
        },
      ),
      firingCase(
        "one failed since the start, and no other ran",
        [
          ...deployment("0x300", "30x300"),
          caseSeries(
            sampleName("ttlCycles"),
            { instance: "a", result: "failure" },
            counterOf([...repeated(59, 0), 1, ...repeated(240, 0)], 0),
          ),
        ],
        {
          rule,
          labels: { job: "backend" },
          description: rule.description.replace(/{{.*}}/, "2.3"),
          pendingAt: 140,
          firesAt: 141,
        },
      ),
      firingCase(
        "two in a row of a day each, half a day after the second one",
        [...deployment("0x4320", "30x4320", { minutes: 3 * day, intervalSeconds: 86_400 }), failures(day, 2 * day)],
        {
          rule,
          labels: { job: "backend" },
          description: rule.description.replace(/{{.*}}/, "2.7"),
          firesAt: 2.7 * day,
        },
      ),
      quietCase(
        "one of a day failed, and the next did not run",
        [...deployment("0x4320", "30x4320", { minutes: 3 * day, intervalSeconds: 86_400 }), failures(day)],
        2.25 * day + 6,
        2.7 * day,
      ),
      quietCase(
        "no success for exactly two intervals and a quarter, whenever one asks",
        [...deployment("0x60", "-8100+60x60"), failures(1)],
        20,
        60,
      ),
      quietCase(
        "one failed, the next succeeded",
        [...deployment("0x300", held([0, 120], [7_200, 60])), failures(60)],
        119,
        150,
      ),
      quietCase("none failed, they did not run", [...deployment("0x300", "0x300"), failures()], 141, 300),
      quietCase("switched off", [...deployment("0x300", "0x300", { isEnabled: false }), failures(60, 120)], 141, 300),
    ],
  ),
  alertFamily(
    file,
    "DatasetTtlStopped",
    ({ deployment: ofAll }) => [
      {
        severity: "critical",
        objective,
        expr: [
          `(time() - ${ofAll("ttlLastSuccess")}) / ${ofAll("ttlInterval")} > 3`,
          `and ${ofAll("ttlEnabled")} == 1`,
        ].join("\n"),
        // A service that was down for long runs its first cycle at once; this is the time that it may take.
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "Expired datasets are not removed any more.",
        description: 'No TTL cycle has succeeded for {{ printf "%.1f" $value }} intervals.',
        dashboard: "datasets",
      },
    ],
    (rule) => [
      firingCase("none succeeds for three intervals, then one", deployment("0x300", held([30, 200], [12_000, 20])), {
        rule,
        labels: { job: "backend" },
        description: rule.description.replace(/{{.*}}/, "3.1"),
        pendingAt: 185,
        firesAt: 186,
        stillAt: 204,
        goneAt: 205,
        stillDescription: rule.description.replace(/{{.*}}/, "3.3"),
      }),
      quietCase("each cycle succeeds", deployment("0x300", hourly), 59, 179, 300),
      quietCase("none for exactly three intervals, whenever one asks", deployment("0x60", "-10800+60x60"), 20, 60),
      quietCase("two are left out, the third succeeds", deployment("0x300", held([0, 180], [10_800, 60])), 179, 200),
      quietCase(
        "just started after a long pause: the first cycle follows at once",
        deployment("0x300", held([-90_000, 4], [240, 60])),
        3,
        5,
        30,
      ),
      quietCase("switched off", deployment("0x300", "0x300", { isEnabled: false }), 200, 300),
    ],
  ),
];
