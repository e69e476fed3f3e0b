import { telemetryVariables } from "../../../otel/settings/telemetry-settings.ts";
import { openTelemetryVariables } from "../../../otel/settings/variables/all-variables.ts";
import type { Variable } from "../../../otel/settings/variables/variable.ts";
import { secretNames, settings } from "../../../src/settings/config.ts";
import { receiverVariables } from "../alerting/receiver-settings.ts";

/** A line of `.env.example`; commented out where the stack sets something else, or where empty isn't the default. */
interface Line {
  readonly name: string;
  readonly value: string;
  readonly about: string;
  readonly commented?: boolean;
}

/** docker-compose.yml sets these itself, to other values than the bare service's defaults. */
const setByCompose: ReadonlySet<string> = new Set([
  settings.host.env,
  settings.dataDir.env,
  settings.authDisabled.env,
  "PROMETHEUS__CREATED",
]);

const stack: readonly Line[] = [
  { name: "PROMETHEUS_PORT", value: "9090", about: "Port on this machine at which Prometheus is published." },
  { name: "GRAFANA_PORT", value: "3001", about: "Port on this machine at which Grafana is published." },
  { name: "GRAFANA_ADMIN_USER", value: "admin", about: "Grafana's first user." },
  {
    name: "GRAFANA_ADMIN_PASSWORD",
    value: "admin",
    about: "Change it before the first start; later Grafana keeps its own.",
  },
  {
    name: "POSTGRES_PASSWORD",
    value: "mlops",
    about: "Of the database of profile postgres; goes into DATABASE_URL too.",
    commented: true,
  },
  {
    name: "PROMETHEUS_TARGETS_DIR",
    value: "./.cache/prometheus",
    about: "Target and token files that ./run.sh up writes.",
    commented: true,
  },
  {
    name: "PROMETHEUS_RULES_DIR",
    value: "./infra/monitoring/prometheus/rules",
    about: "Rule files; ./run.sh up leaves out those about the target where metrics are switched off.",
    commented: true,
  },
  {
    name: "COMPOSE_PROFILES",
    value: "alerting",
    about:
      "Profiles that start without being named; ./run.sh up adds the COMPOSE_FILE that tracing, collector and replicas need.",
    commented: true,
  },
  {
    name: "BACKEND_REPLICAS",
    value: "2",
    about: "With profile replicas: how many backends; SERVICE_PORT is a range then, 8000-8001. Needs DATABASE_URL.",
    commented: true,
  },
  {
    name: "WORKER_REPLICAS",
    value: "2",
    about: "With profile replicas: how many workers.",
    commented: true,
  },
  {
    name: "TEMPO_OTLP_URL",
    value: "http://tempo:4318",
    about: "Where the collector of profile collector sends traces to; /v1/traces is added.",
    commented: true,
  },
  {
    name: "LOKI_OTLP_URL",
    value: "http://loki:3100/otlp",
    about: "Where it sends logs to; /v1/logs is added.",
    commented: true,
  },
  { name: "ALERTMANAGER_PORT", value: "9093", about: "Port on this machine at which Alertmanager is published." },
  {
    name: "ALERTMANAGER_URL",
    value: "http://127.0.0.1:9093",
    about: "Where people reach Alertmanager: the links to it in alerts.",
  },
  {
    name: "ALERTMANAGER_CONFIG_DIR",
    value: "./.cache/alertmanager",
    about: "Its files for this environment, which ./run.sh up and npm run monitoring:generate write.",
    commented: true,
  },
  {
    name: "GRAFANA_ALERTING_PORT",
    value: "3002",
    about: "Port on this machine at which the Grafana of profile grafana-alerting is published.",
  },
  {
    name: "GRAFANA_ALERTING_DIR",
    value: "./.cache/grafana-alerting",
    about: "Its alerts for this environment, written along with Alertmanager's files.",
    commented: true,
  },
  {
    name: "ALERTMANAGER_SECRETS_DIR",
    value: "./infra/monitoring/alertmanager/secrets",
    about: "Folder with smtp-password and slack-url, readable for user 65534; mounted at /run/secrets/alerting.",
  },
];

/** OpenTelemetry's own variables of a section that have a default or an example; all but one are unset. */
function openTelemetry(section: Variable["section"]): Line[] {
  return Object.entries(openTelemetryVariables).flatMap(([name, { section: its, value, about }]) =>
    its === section && value !== undefined ? [{ name, value, about, commented: name !== "OTEL_SDK_DISABLED" }] : [],
  );
}

function section(title: string, lines: readonly Line[]): string {
  const text = lines.map(
    ({ name, value, about, commented }) => `# ${about}\n${commented ? "# " : ""}${name}=${value}\n`,
  );
  return `# --- ${title}\n\n${text.join("\n")}`;
}

/** The text of `.env.example`: every setting with its unit and its default. */
export function envExample(): string {
  const service = Object.values(settings).map(({ env, fallback, about }) => ({
    name: env,
    value: fallback,
    about: secretNames.includes(env) ? `${about} Or ${env}_FILE: a file that holds it.` : about,
    commented: setByCompose.has(env),
  }));
  const metrics = Object.entries(telemetryVariables).map(([name, { fallback, about }]) => ({
    name,
    value: fallback,
    about,
    commented: setByCompose.has(name),
  }));
  const receivers = Object.entries(receiverVariables).map(([name, { fallback, about }]) => ({
    name,
    value: fallback,
    about,
  }));
  return [
    "# Generated by `npm run monitoring:generate`. Copy to .env; what stands here are the defaults.\n" +
      "# An empty value counts as not set.\n" +
      "# Lines that are commented out have another value in docker-compose.yml, or are unset.\n",
    section("Service", service),
    section("Metrics", metrics),
    section("OpenTelemetry: docs/telemetry.md has all its variables", openTelemetry("OpenTelemetry")),
    section("Metrics elsewhere: unless these say so, Prometheus comes and reads", openTelemetry("Metrics")),
    section("What is sent by OTLP, and how: nothing while no endpoint is set", openTelemetry("Sending")),
    section("Traces: off while no endpoint is set", openTelemetry("Traces")),
    section("Logs: on stdout alone while no endpoint is set", openTelemetry("Logs")),
    section("Stack: read by docker-compose.yml only", stack),
    section("Who is told of alerts: read by npm run monitoring:generate and ./run.sh up", receivers),
  ].join("\n");
}
