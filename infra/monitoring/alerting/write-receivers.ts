import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import { missingReceivers } from "./alertmanager-config.ts";
import { alertmanagerFiles } from "./alertmanager-files.ts";
import { grafanaAlertingFiles } from "./grafana-alerting.ts";
import { readReceivers } from "./receiver-settings.ts";

const root = join(import.meta.dirname, "../../..");
const messages = "templates/messages.tmpl";

/** The environment, and below it what `.env` says, as Compose has it. */
function environment(): NodeJS.ProcessEnv {
  const file = join(root, ".env");
  return { ...(existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {}), ...process.env };
}

/**
 * Writes the files of Alertmanager and of Grafana's alerting for this environment under `folder`, and says on stderr who
 * is not told. The committed ones are those of the empty environment: addresses are nobody's business but yours.
 * @param timeScale less than 1 shortens the pauses between messages, for tests
 * @throws when the settings are wrong, with every fault in the message
 */
export function writeReceivers(
  folder = join(root, ".cache"),
  env: NodeJS.ProcessEnv = environment(),
  timeScale = 1,
): void {
  const { receivers, faults: receiverFaults } = readReceivers(env);
  const { settings, faults: telemetryFaults } = readTelemetrySettings(env);
  const faults = [...receiverFaults, ...telemetryFaults];
  if (faults.length > 0) throw new Error(`Who is told of alerts can't be read:\n  ${faults.join("\n  ")}`);
  const write = (target: string, files: ReadonlyMap<string, string>): void => {
    for (const [path, content] of files) {
      const file = join(folder, target, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  };
  write("alertmanager", alertmanagerFiles(receivers, timeScale));
  copyFileSync(join(import.meta.dirname, "../alertmanager", messages), join(folder, "alertmanager", messages));
  write("grafana-alerting", grafanaAlertingFiles(receivers, settings.prefix));
  for (const missing of missingReceivers(receivers)) process.stderr.write(`${missing}\n`);
}

/** For `run.sh` and `.ci/run`: `node infra/monitoring/alerting/write-receivers.ts [folder]`. */
if (import.meta.main) {
  try {
    writeReceivers(process.argv[2]);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
