import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  grafanaAlertingFiles,
  grafanaAlerts,
  toldByOthers,
} from "../../../infra/monitoring/alerting/grafana-alerting.ts";
import { readReceivers } from "../../../infra/monitoring/alerting/receiver-settings.ts";
import { causesOf } from "../../../infra/monitoring/rules/known-causes.ts";
import { ruleGroups } from "../../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";

const root = join(import.meta.dirname, "../../..");

interface Rule {
  readonly uid: string;
  readonly title: string;
  readonly condition: string;
  readonly for: string;
  readonly keepFiringFor?: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly data: { refId: string; datasourceUid: string; model: Record<string, unknown> }[];
}

const filesOf = (env: NodeJS.ProcessEnv, prefix = defaultPrefix): ReadonlyMap<string, string> =>
  grafanaAlertingFiles(readReceivers(env).receivers, prefix);
const rulesOf = (files: ReadonlyMap<string, string>): Rule[] => parse(files.get("rules.yml") ?? "").groups[0].rules;
const rules = rulesOf(filesOf({ GRAFANA_URL: "https://grafana.example.org" }));

interface PrometheusRule {
  readonly alert?: string;
  readonly expr: string;
  readonly for: string;
  readonly keep_firing_for?: string;
  readonly labels: Record<string, string>;
}

/** Prometheus' own critical rules of the same names. */
const allRules = [...ruleGroups({ prefix: defaultPrefix, timeScale: 1 }).values()]
  .flat()
  .flatMap((group) => group.rules as unknown as PrometheusRule[]);
const prometheusRules = grafanaAlerts.flatMap((name) =>
  allRules.filter(
    ({ alert, labels }) =>
      alert === name &&
      labels.severity === "critical" &&
      !Object.values(labels).some((value) => (toldByOthers as readonly string[]).includes(value)),
  ),
);

describe("Grafana's own alerts", () => {
  test("are the main ones, and ask what Prometheus' rules ask", () => {
    expect(new Set(rules.map(({ title }) => title.split(" ")[0]))).toEqual(new Set(grafanaAlerts));
    const asked = rules.map(({ data, labels, for: pending, keepFiringFor }) => ({
      expr: data[0]?.model.expr,
      for: pending,
      keep_firing_for: keepFiringFor,
      labels,
    }));
    expect(asked).toEqual(
      prometheusRules.map(({ expr, for: pending, keep_firing_for, labels }) => ({
        expr,
        for: pending,
        keep_firing_for,
        labels,
      })),
    );
  });

  test("have the cause of each that its cause is told in place of", () => {
    const told = new Set<string>(grafanaAlerts);
    for (const [effect, causes] of Object.entries(causesOf))
      if (told.has(effect)) expect(causes.filter((cause) => !told.has(cause))).toEqual([]);
    // One dead process is one message, and a full disk is one.
    expect(rules.filter(({ title }) => title.startsWith("BackendTargetDown"))).toHaveLength(1);
    expect(rules.filter(({ title }) => title.startsWith("StorageNearlyFull"))).toHaveLength(1);
  });

  test("ask for the names of the given prefix", () => {
    expect(filesOf({}, "other_name").get("rules.yml")).toContain("other_name_training_queue_jobs");
    expect(filesOf({}, "other_name").get("rules.yml")).not.toContain(defaultPrefix);
  });

  test("fire for every series that is there, whatever its value", () => {
    for (const { condition, data } of rules) {
      expect(condition).toBe("B");
      expect(data.map(({ refId, datasourceUid }) => [refId, datasourceUid])).toEqual([
        ["A", "Prometheus"],
        ["B", "__expr__"],
      ]);
      expect(data[1]?.model).toMatchObject({ type: "math", expression: "is_number($A)" });
    }
  });

  test("hold nothing that Grafana would take for a variable of the environment when it reads them", () => {
    const texts = rules.flatMap(({ data, ...rest }) => JSON.stringify(rest));
    expect(texts.filter((text) => text.includes("$"))).toEqual([]);
    expect(texts.join()).toContain("{{ .Values.A.Value | humanizePercentage }}");
    expect(texts.join()).toContain("{{ .Labels.instance }}");
  });

  test("have short names of their own, and lead to runbook and dashboard", () => {
    expect(new Set(rules.map(({ uid }) => uid)).size).toBe(rules.length);
    for (const { uid, title, annotations } of rules) {
      expect(uid).toMatch(/^[a-z0-9-]{1,40}$/);
      const name = title.split(" ")[0] ?? "";
      expect(annotations.runbook_url).toMatch(new RegExp(`/${name}\\.md$`));
      expect(existsSync(join(root, `docs/runbooks/${name}.md`))).toBe(true);
      const dashboard = /^https:\/\/grafana\.example\.org\/d\/([\w-]+)$/.exec(annotations.dashboard_url ?? "")?.[1];
      expect(existsSync(join(root, `infra/monitoring/grafana/dashboards/${dashboard}.json`)), title).toBe(true);
    }
  });
});

describe("who is told by Grafana", () => {
  test("is nobody as committed, and the file says so", () => {
    const committed = readFileSync(join(root, "infra/monitoring/grafana/alerting/contact-points.yml"), "utf8");
    expect(parse(committed)).toEqual({ apiVersion: 1 });
    expect(committed).toContain("# Nobody is told");
    expect(filesOf({}).get("smtp.env")).not.toContain("GF_");
  });

  test("is the same as by Alertmanager, with secrets by their files", () => {
    const files = filesOf({
      ALERTMANAGER_EMAIL_TO: "night@example.org, day@example.org",
      ALERTMANAGER_SMTP_SMARTHOST: "mail.example.org:587",
      ALERTMANAGER_SMTP_FROM: "backend@example.org",
      ALERTMANAGER_SMTP_AUTH_USERNAME: "backend",
      ALERTMANAGER_SLACK_CHANNEL: "#alerts",
    });
    const { contactPoints, policies } = parse(files.get("contact-points.yml") ?? "");
    expect(contactPoints).toMatchObject([
      {
        name: "mlops-backend",
        receivers: [
          { type: "email", settings: { addresses: "night@example.org;day@example.org" } },
          { type: "slack", settings: { recipient: "#alerts", url: "$__file{/run/secrets/alerting/slack-url}" } },
        ],
      },
    ]);
    expect(policies).toMatchObject([{ receiver: "mlops-backend" }]);
    expect(files.get("smtp.env")?.split("\n")).toEqual(
      expect.arrayContaining([
        "GF_SMTP_HOST=mail.example.org:587",
        "GF_SMTP_STARTTLS_POLICY=MandatoryStartTLS",
        "GF_SMTP_PASSWORD='$__file{/run/secrets/alerting/smtp-password}'",
      ]),
    );
  });
});
