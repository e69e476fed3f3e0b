import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { alertmanagerConfig, missingReceivers } from "../../../infra/monitoring/alerting/alertmanager-config.ts";
import { inhibitions } from "../../../infra/monitoring/alerting/inhibitions.ts";
import { readReceivers, receiverVariables } from "../../../infra/monitoring/alerting/receiver-settings.ts";
import { writeReceivers } from "../../../infra/monitoring/alerting/write-receivers.ts";
import { runbooksNowhere } from "../../../infra/monitoring/rules/alert.ts";
import { alertFamilies } from "../../../infra/monitoring/rules/rule-files.ts";

const root = join(import.meta.dirname, "../../..");
const email = {
  ALERTMANAGER_EMAIL_TO: "night@example.org, day@example.org",
  ALERTMANAGER_SMTP_SMARTHOST: "mail.example.org:587",
  ALERTMANAGER_SMTP_FROM: "backend@example.org",
};
const slack = { ALERTMANAGER_SLACK_CHANNEL: "#alerts" };
const runbooks = { RUNBOOK_BASE_URL: "https://wiki.example.org/runbooks" };
const deadMansSwitch = { ALERTMANAGER_DEADMANSSWITCH_URL: "https://switch.example.org/ping" };

interface Configuration {
  readonly global?: Record<string, unknown>;
  readonly route: { readonly receiver: string; readonly routes: { matchers: string[]; receiver: string }[] };
  readonly receivers: { readonly name: string; readonly [kind: string]: unknown }[];
}
function configurationOf(env: NodeJS.ProcessEnv, timeScale?: number): Configuration {
  const { receivers, faults } = readReceivers(env);
  expect(faults).toEqual([]);
  return alertmanagerConfig(receivers, timeScale) as Configuration;
}
/** Which channels a severity reaches. */
function reached(env: NodeJS.ProcessEnv): Record<string, string[]> {
  const { route, receivers } = configurationOf(env);
  return Object.fromEntries(
    route.routes.map(({ matchers, receiver }) => {
      const kinds = Object.keys(receivers.find(({ name }) => name === receiver) ?? {});
      return [/"(.*)"/.exec(matchers[0] ?? "")?.[1] ?? "", kinds.filter((kind) => kind !== "name")];
    }),
  );
}

describe("who is told", () => {
  test("of nothing is nobody, and the committed file says so", () => {
    expect(reached({})).toEqual({ critical: [], warning: [], ticket: [], none: [] });
    const file = readFileSync(join(root, "infra/monitoring/alertmanager/alertmanager.yml"), "utf8");
    expect(file).toContain("# Alerts are told to nobody");
    expect(parse(file)).toEqual(configurationOf({}));
  });

  test.each([
    [
      "both",
      { ...email, ...slack },
      { critical: ["slack_configs", "email_configs"], warning: ["slack_configs"], ticket: ["email_configs"] },
    ],
    ["Slack alone", slack, { critical: ["slack_configs"], warning: ["slack_configs"], ticket: ["slack_configs"] }],
    ["e-mail alone", email, { critical: ["email_configs"], warning: ["email_configs"], ticket: ["email_configs"] }],
  ])("by severity: %s", (_what, env, expected) => {
    expect(reached(env)).toEqual({ ...expected, none: [] });
    expect(missingReceivers(readReceivers({ ...env, ...runbooks }).receivers)).toHaveLength(1);
  });

  test("finds the runbook, or it is said that nobody does", () => {
    const missing = (env: NodeJS.ProcessEnv) =>
      missingReceivers({ ...readReceivers({ ...deadMansSwitch, ...env }).receivers });
    expect(missing(slack)).toEqual([expect.stringContaining("RUNBOOK_BASE_URL is not set")]);
    expect(missing({ ...slack, ...runbooks })).toEqual([]);
    // Nobody is told: nobody misses it.
    expect(missing({})).toEqual([expect.stringContaining("told to nobody")]);
  });

  test("of Watchdog is the dead-man's switch alone, by its address or by a file", () => {
    expect(reached({ ...slack, ...deadMansSwitch }).none).toEqual(["webhook_configs"]);
    const fromFile = configurationOf({
      ...slack,
      ALERTMANAGER_DEADMANSSWITCH_URL_FILE: "/run/secrets/alerting/switch",
    });
    expect(fromFile.receivers.at(-1)).toEqual({
      name: "dead-mans-switch",
      webhook_configs: [{ url_file: "/run/secrets/alerting/switch", send_resolved: false }],
    });
  });

  test("hears of an alert without a severity, too", () => {
    expect(configurationOf(slack).route.receiver).toBe("warning");
  });

  test("hears that it is over", () => {
    const configs = configurationOf({ ...email, ...slack }).receivers.flatMap(({ name, ...kinds }) =>
      (Object.values(kinds) as { send_resolved: boolean }[][]).flat(),
    );
    expect(configs).toHaveLength(4);
    expect(configs.filter((config) => !config.send_resolved)).toEqual([]);
  });
});

describe("secrets", () => {
  test("are named by their files, and only where they are used", () => {
    expect(configurationOf(email).global).not.toHaveProperty("smtp_auth_password_file");
    const { global } = configurationOf({ ...email, ALERTMANAGER_SMTP_AUTH_USERNAME: "backend" });
    expect(global).toMatchObject({
      smtp_require_tls: true,
      smtp_auth_username: "backend",
      smtp_auth_password_file: "/run/secrets/alerting/smtp-password",
    });
    const text = JSON.stringify(configurationOf({ ...email, ...slack, ALERTMANAGER_SMTP_AUTH_USERNAME: "backend" }));
    expect([...text.matchAll(/"([a-z_]*(?:password|api_url|secret|token)[a-z_]*)"/g)].map((match) => match[1])).toEqual(
      ["smtp_auth_password_file", "api_url_file", "api_url_file"],
    );
  });

  test("in the wrong place are refused and not shown", () => {
    const { faults } = readReceivers({
      ...slack,
      ALERTMANAGER_SLACK_API_URL_FILE: "https://hooks.slack.com/services/T0/B0/x",
    });
    expect(faults).toEqual([expect.stringMatching(/^ALERTMANAGER_SLACK_API_URL_FILE must be the absolute path/)]);
    expect(faults.join()).not.toContain("hooks.slack.com");
  });
});

describe("settings", () => {
  test.each([
    ["ALERTMANAGER_EMAIL_TO", { ...email, ALERTMANAGER_EMAIL_TO: "night" }],
    ["ALERTMANAGER_SMTP_SMARTHOST", { ...email, ALERTMANAGER_SMTP_SMARTHOST: "mail" }],
    ["ALERTMANAGER_SMTP_FROM", { ...email, ALERTMANAGER_SMTP_FROM: "" }],
    ["ALERTMANAGER_SMTP_REQUIRE_TLS", { ...email, ALERTMANAGER_SMTP_REQUIRE_TLS: "no" }],
    ["ALERTMANAGER_SLACK_CHANNEL", { ALERTMANAGER_SLACK_CHANNEL: "#one #two" }],
    ["ALERTMANAGER_DEADMANSSWITCH_URL", { ALERTMANAGER_DEADMANSSWITCH_URL: "switch.example.org" }],
    ["ALERTMANAGER_DEADMANSSWITCH_URL_FILE", { ...deadMansSwitch, ALERTMANAGER_DEADMANSSWITCH_URL_FILE: "/run/a" }],
    // It would end up in a template.
    ["RUNBOOK_BASE_URL", { RUNBOOK_BASE_URL: "docs/runbooks" }],
    ["GRAFANA_URL", { GRAFANA_URL: 'http://a/{{ template "x" }}' }],
  ])("%s that can't be right is refused by its name", (name, env) => {
    expect(readReceivers(env).faults).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
  });

  test("are all reported together", () => {
    expect(readReceivers({ ...email, ALERTMANAGER_SMTP_SMARTHOST: "", GRAFANA_URL: "x" }).faults).toHaveLength(2);
  });

  test("are those that .env.example explains", () => {
    const example = readFileSync(join(root, ".env.example"), "utf8");
    for (const name of Object.keys(receiverVariables)) expect(example).toMatch(new RegExp(`^${name}=`, "m"));
  });
});

test("the files of an environment stand outside of the repository's, and it says who is not told", () => {
  const folder = mkdtempSync(join(tmpdir(), "receivers-"));
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    writeReceivers(folder, { ...slack, GRAFANA_URL: "https://grafana.example.org/" });
    const read = (path: string) => readFileSync(join(folder, "alertmanager", path), "utf8");
    expect(parse(read("alertmanager.yml"))).toEqual(configurationOf(slack));
    expect(read("templates/grafana.tmpl")).toContain(
      '{{ define "backend.grafana" }}https://grafana.example.org{{ end }}',
    );
    expect(existsSync(join(folder, "alertmanager/templates/messages.tmpl"))).toBe(true);
    expect(read("templates/grafana.tmpl")).toContain(`{{ define "backend.runbooks" }}${runbooksNowhere}{{ end }}`);
    expect(stderr.mock.calls.join()).toContain("ALERTMANAGER_DEADMANSSWITCH_URL is not set");
    expect(stderr.mock.calls.join()).toContain("RUNBOOK_BASE_URL is not set");
    stderr.mockClear();
    writeReceivers(folder, { ...slack, ...runbooks });
    expect(read("templates/grafana.tmpl")).toContain(
      '{{ define "backend.runbooks" }}https://wiki.example.org/runbooks{{ end }}',
    );
    expect(readFileSync(join(folder, "grafana-alerting/rules.yml"), "utf8")).toContain(
      "runbook_url: https://wiki.example.org/runbooks/BackendTargetDown.md",
    );
    expect(stderr.mock.calls.join()).not.toContain("RUNBOOK_BASE_URL");
    expect(() => writeReceivers(folder, { GRAFANA_URL: "x" })).toThrow("GRAFANA_URL");
  } finally {
    stderr.mockRestore();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the folder for secrets is there, and git takes nothing of it", () => {
  const folder = join(root, "infra/monitoring/alertmanager/secrets");
  expect(statSync(folder).isDirectory()).toBe(true);
  expect(readFileSync(join(folder, ".gitignore"), "utf8")).toMatch(/^\*\n!\.gitignore\n$/m);
});

test("what silences and what is silenced are alerts that exist", () => {
  const names = inhibitions.flatMap(({ source, target }) =>
    [...source, ...target].flatMap((matcher) => /^alertname=~?"(.*)"$/.exec(matcher)?.[1]?.split("|") ?? []),
  );
  const known = new Set(alertFamilies.map(({ name }) => name));
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

test("tests shorten the pauses between messages", () => {
  const route = (timeScale: number) => configurationOf({}, timeScale).route as unknown as Record<string, string>;
  expect([route(1).group_wait, route(1 / 60).group_wait, route(1 / 60).group_interval]).toEqual(["60s", "1s", "5s"]);
});
