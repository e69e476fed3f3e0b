import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeReceivers } from "../../infra/monitoring/alerting/write-receivers.ts";
import { ruleFiles } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/catalogue.ts";
import { type AlertInbox, openAlertInbox } from "./alert-inbox.ts";
import { eventually, freePort, OwnProcess } from "./processes.ts";
import { type PrometheusProcess, startPrometheus } from "./prometheus-process.ts";

/** Hours become minutes: the windows of the rules, and the pauses of Alertmanager. */
export const timeScale = 1 / 60;

/** Prometheus with our rules, Alertmanager with our routes, and those who are told. */
export interface AlertingStack {
  readonly prometheus: PrometheusProcess;
  readonly inbox: AlertInbox;
  /** Names of the alerts that are pending or firing now. */
  activeAlerts(): Promise<string[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function startAlertmanager(folder: string, inbox: AlertInbox): Promise<{ process: OwnProcess; address: string }> {
  const slackUrlFile = join(folder, "slack-url");
  mkdirSync(folder, { recursive: true });
  writeFileSync(slackUrlFile, inbox.slackUrl);
  writeReceivers(
    folder,
    {
      ALERTMANAGER_EMAIL_TO: "night@example.org",
      ALERTMANAGER_SMTP_SMARTHOST: inbox.mailAddress,
      ALERTMANAGER_SMTP_FROM: "backend@example.org",
      ALERTMANAGER_SMTP_REQUIRE_TLS: "false",
      ALERTMANAGER_SLACK_CHANNEL: "#alerts",
      ALERTMANAGER_SLACK_API_URL_FILE: slackUrlFile,
      ALERTMANAGER_DEADMANSSWITCH_URL: inbox.deadMansSwitchUrl,
      GRAFANA_URL: "https://grafana.example.org",
    },
    timeScale,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const alertmanager = new OwnProcess(process.env.ALERTMANAGER_BIN ?? "prometheus-alertmanager", [
    `--config.file=${join(folder, "alertmanager/alertmanager.yml")}`,
    `--storage.path=${join(folder, "data")}`,
    `--web.listen-address=${address}`,
    "--cluster.listen-address=",
  ]);
  return { process: alertmanager, address };
}

/** Starts all of it for one target (host:port), and returns when Watchdog has come through and nothing else is active. */
export async function startAlerting(folder: string, target: string): Promise<AlertingStack> {
  await using starting = new AsyncDisposableStack();
  const inbox = starting.use(await openAlertInbox());
  const alertmanager = await startAlertmanager(join(folder, "receivers"), inbox);
  starting.use(alertmanager.process);
  await eventually("Alertmanager is ready", 30, async () =>
    (await fetch(`http://${alertmanager.address}/-/ready`)).ok ? true : undefined,
  );
  const prometheus = await startPrometheus({
    folder: join(folder, "prometheus"),
    target,
    alertmanager: alertmanager.address,
    rules: ruleFiles({ prefix: defaultPrefix, timeScale }),
  });
  starting.use(prometheus.process);
  const activeAlerts = async (): Promise<string[]> => {
    const { alerts } = await prometheus.ask<{ alerts: { labels: { alertname: string } }[] }>("alerts");
    return [...new Set(alerts.map(({ labels }) => labels.alertname))].sort();
  };
  try {
    await eventually("the target is up and Watchdog alone is active", 150, async () => {
      const isUp = (await prometheus.query('up{job="backend"} == 1')).length > 0;
      const active = await activeAlerts();
      if (isUp && inbox.switchCalls.length > 0 && active.join() === "Watchdog") return true;
      throw new Error(`${isUp ? "up" : "not up"}, ${inbox.switchCalls.length} calls, active: ${active.join(", ")}`);
    });
  } catch (error) {
    throw new Error(`${error}\n${prometheus.process.output}\n${alertmanager.process.output}`);
  }
  const running = starting.move();
  return { prometheus, inbox, activeAlerts, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
