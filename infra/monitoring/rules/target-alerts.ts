import { type AlertFamily, type AlertRule, type ExpectedAlert, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries, sampleName } from "./case-series.ts";
import { backendJob, withCount } from "./rule-scope.ts";

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
        keepFiringForSeconds: settlingSeconds,
        summary: "Prometheus knows no process of the service.",
        // No current value: `absent` gives 1, whatever is missing.
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
        stillAt: 12,
        goneAt: 13,
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
        expr: withCount(`up${ofJob} == 0`),
        forSeconds: 120,
        keepFiringForSeconds: settlingSeconds,
        summary: "Prometheus can't read the metrics of a process.",
        description: "{{ $labels.instance }} has not answered a scrape for two minutes; in all {{ $value }} are down.",
        dashboard: "telemetry",
      },
      {
        severity: "critical",
        // Silences what the deployment lacks (alerting/inhibitions.ts): while another process works, it lacks it for its own
        // reasons.
        labels: { targets: "all" },
        expr: `count by (job) (up${ofJob} == 0) == count by (job) (up${ofJob})`,
        forSeconds: 120,
        keepFiringForSeconds: settlingSeconds,
        summary: "Prometheus can't read the metrics of any process.",
        description: "None of the targets, {{ $value }} in all, has answered a scrape for two minutes.",
        dashboard: "telemetry",
      },
    ],
    (one, all) => {
      const saying = (rule: AlertRule | undefined, instance: string | undefined, count: number): ExpectedAlert => ({
        rule: rule as AlertRule,
        labels: { job: backendJob, ...(instance === undefined ? {} : { instance }) },
        description: (rule as AlertRule).description
          .replace("{{ $labels.instance }}", instance ?? "")
          .replace("{{ $value }}", String(count)),
      });
      const bystanders = [up("1x20", "c"), up("1x20", "d"), up("0x20", "n", "other")];
      const check = (minute: number, ...fire: readonly ExpectedAlert[]) => ({ atSeconds: minute * 60, fire });
      return [
        {
          name: "one of three",
          series: [up(held([1, 2], [0, 4], [1, 10])), ...bystanders],
          checks: [check(3), check(4, saying(one, "a", 1)), check(10, saying(one, "a", 1)), check(11)],
        },
        {
          name: "all, the second one later and for longer",
          series: [up(held([1, 2], [0, 6], [1, 12])), up(held([1, 4], [0, 8], [1, 8]), "b"), up("1x20", "n", "other")],
          checks: [
            check(3),
            check(5, saying(one, "a", 2)),
            check(6, saying(one, "a", 2), saying(one, "b", 2), saying(all, undefined, 2)),
            // What ended goes on for five minutes, as it was.
            check(12, saying(one, "a", 2), saying(one, "b", 1), saying(all, undefined, 2)),
            check(13, saying(one, "b", 1)),
            check(16, saying(one, "b", 1)),
            check(17),
          ],
        },
        quietCase("a restart", [up(held([1, 3], [0, 2], [1, 5]))], 4, 5, 9),
        {
          name: "comes and goes every four minutes: one alert",
          series: [up(held([1, 2], [0, 4], [1, 4], [0, 4], [1, 6])), ...bystanders],
          checks: [check(3), ...[4, 8, 12, 18].map((minute) => check(minute, saying(one, "a", 1))), check(19)],
        },
      ];
    },
  ),
  alertFamily(
    file,
    "BackendUpButBlind",
    ({ select }) => [
      {
        severity: "critical",
        // By the name that these rules were generated with: another prefix would leave every other alert without data.
        expr: withCount(`up${ofJob} == 1 unless on (job, instance) ${select("buildInfo")}`),
        forSeconds: 300,
        keepFiringForSeconds: settlingSeconds,
        summary: "A process answers scrapes, but not with the metrics that the alerts look at.",
        description:
          "{{ $labels.instance }} is up and has none of the metrics that these rules were generated for; in all {{ $value }} have none. Their prefix differs, or telemetry is off.",
        dashboard: "telemetry",
      },
    ],
    (rule) => [
      firingCase(
        "another prefix on one of two, until it is set right",
        [
          ...[up("1x20"), build("1x20", "a", "acme_ml_build_info"), build("_x8 1x10")],
          ...["b", "c", "d"].flatMap((instance) => [up("1x20", instance), build("1x20", instance)]),
        ],
        {
          rule,
          labels,
          description: rule.description.replace("{{ $labels.instance }}", "a").replace("{{ $value }}", "1"),
          pendingAt: 4,
          firesAt: 5,
          stillAt: 12,
          goneAt: 13,
        },
      ),
      {
        name: "two with another prefix, one that has ours, and one that is down",
        series: [up("1x20"), up("1x20", "b"), up("1x20", "c"), build("1x20", "c"), up("0x20", "d")],
        checks: [
          {
            atSeconds: 300,
            fire: ["a", "b"].map((instance) => ({
              rule,
              labels: { ...labels, instance },
              description: rule.description.replace("{{ $labels.instance }}", instance).replace("{{ $value }}", "2"),
            })),
          },
        ],
      },
      quietCase("both have it", [up("1x20"), build("1x20"), up("1x20", "b"), build("1x20", "b")], 5, 20),
      quietCase("down: another alert's matter", [up("0x20")], 5, 20),
    ],
  ),
];
