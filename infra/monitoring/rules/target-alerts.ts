import type { AlertFamily } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { backendJob } from "./rule-scope.ts";

const file = "targets";
const labels = { job: backendJob, instance: "a" };
const up = (values: string, instance = "a", job = backendJob) => caseSeries("up", { job, instance }, values);
const build = (values: string, instance = "a", name = sampleName("buildInfo")) =>
  caseSeries(name, { instance, version: "1", revision: "r", node: "24" }, values);
const ofJob = `{job="${backendJob}"}`;

/** Alerts on what Prometheus sees of the service at all. */
export const targetAlerts: readonly AlertFamily[] = [
  alertFamily(
    file,
    "BackendTargetMissing",
    () => [
      {
        severity: "critical",
        expr: `absent(up${ofJob})`,
        forSeconds: 300,
        keepFiringForSeconds: 0,
        summary: "Prometheus knows no process of the service.",
        description: "There is no target of the job {{ $labels.job }}: no file or name tells Prometheus where to look.",
        dashboard: "telemetry",
      },
    ],
    (rule) => [
      firingCase("another job only, then a target", [up("1x20", "p", "prometheus"), up("_x8 1x10")], {
        rule,
        labels: { job: backendJob },
        description: rule.description.replace(/{{.*}}/, backendJob),
        pendingAt: 4,
        firesAt: 5,
        stillAt: 7,
        goneAt: 8,
      }),
      quietCase("a target that is down", [up("0x20")], 5, 20),
    ],
  ),
  alertFamily(
    file,
    "BackendTargetDown",
    () => [
      {
        severity: "critical",
        expr: `up${ofJob} == 0`,
        forSeconds: 120,
        keepFiringForSeconds: 0,
        summary: "Prometheus can't read the metrics of a process.",
        description: "{{ $labels.instance }} has not answered a scrape for two minutes.",
        dashboard: "telemetry",
      },
    ],
    (rule) => [
      firingCase("one of two", [up(held([1, 2], [0, 4], [1, 5])), up("1x20", "b"), up("0x20", "n", "other")], {
        rule,
        labels,
        description: rule.description.replace(/{{.*}}/, "a"),
        pendingAt: 3,
        firesAt: 4,
        stillAt: 5,
        goneAt: 6,
      }),
      quietCase("a restart", [up(held([1, 3], [0, 2], [1, 5]))], 4, 5, 9),
    ],
  ),
  alertFamily(
    file,
    "BackendUpButBlind",
    ({ select }) => [
      {
        severity: "critical",
        // By the name that these rules were generated with: another prefix would leave every other alert without data.
        expr: `up${ofJob} == 1 unless on (job, instance) ${select("buildInfo")}`,
        forSeconds: 300,
        keepFiringForSeconds: 0,
        summary: "A process answers scrapes, but not with the metrics that the alerts look at.",
        description:
          "{{ $labels.instance }} is up and has none of the metrics that these rules were generated for: their prefix differs, or telemetry is off.",
        dashboard: "telemetry",
      },
    ],
    (rule) => [
      firingCase(
        "another prefix on one of two, until it is set right",
        [up("1x20"), build("1x20", "a", "acme_ml_build_info"), build("_x8 1x10"), up("1x20", "b"), build("1x20", "b")],
        {
          rule,
          labels,
          description: rule.description.replace(/{{.*}}/, "a"),
          pendingAt: 4,
          firesAt: 5,
          stillAt: 7,
          goneAt: 8,
        },
      ),
      quietCase("both have it", [up("1x20"), build("1x20"), up("1x20", "b"), build("1x20", "b")], 5, 20),
      quietCase("down: another alert's matter", [up("0x20")], 5, 20),
    ],
  ),
];
