import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeReceivers } from "../../infra/monitoring/alerting/write-receivers.ts";
import { freePort } from "../support/free-port.ts";
import type { AlertInbox } from "./alert-inbox.ts";
import { eventually, OwnProcess } from "./processes.ts";

/** Hours become minutes: the windows of the rules, and the pauses of Alertmanager. */
export const timeScale = 1 / 60;

/** A real Alertmanager with our routes and messages, every pause shortened. */
export interface AlertmanagerProcess {
  readonly process: OwnProcess;
  /** host:port */
  readonly address: string;
}

/**
 * Starts it on a free port, with its files and data in `folder`, and waits until it is ready.
 * @param cluster flags of a mesh; without them it is alone
 */
export async function startAlertmanager(
  folder: string,
  inbox: AlertInbox,
  cluster: readonly string[] = ["--cluster.listen-address="],
): Promise<AlertmanagerProcess> {
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
      RUNBOOK_BASE_URL: "https://wiki.example.org/runbooks",
    },
    timeScale,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const alertmanager = new OwnProcess(process.env.ALERTMANAGER_BIN ?? "prometheus-alertmanager", [
    `--config.file=${join(folder, "alertmanager/alertmanager.yml")}`,
    `--storage.path=${join(folder, "data")}`,
    `--web.listen-address=${address}`,
    ...cluster,
  ]);
  await eventually("Alertmanager is ready", 30, async () =>
    (await fetch(`http://${address}/-/ready`)).ok ? true : undefined,
  ).catch(async (error) => {
    await alertmanager[Symbol.asyncDispose]();
    throw new Error(`${error}\n${alertmanager.output}`);
  });
  return { process: alertmanager, address };
}
