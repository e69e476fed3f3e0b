import { join } from "node:path";
import { ruleFiles } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";
import { type AlertInbox, openAlertInbox } from "./alert-inbox.ts";
import { startAlertmanager, timeScale } from "./alertmanager-process.ts";
import { eventually } from "./processes.ts";
import { type PrometheusProcess, startPrometheus } from "./prometheus-process.ts";

/** Prometheus with our rules, Alertmanager with our routes, and those who are told. */
export interface AlertingStack {
  readonly prometheus: PrometheusProcess;
  readonly inbox: AlertInbox;
  /** Names of the alerts that are pending or firing now. */
  activeAlerts(): Promise<string[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts all of it for one target (host:port), and returns when Watchdog has come through and nothing else is active. */
export async function startAlerting(folder: string, target: string): Promise<AlertingStack> {
  await using starting = new AsyncDisposableStack();
  const inbox = starting.use(await openAlertInbox());
  const alertmanager = await startAlertmanager(join(folder, "receivers"), inbox);
  starting.use(alertmanager.process);
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
