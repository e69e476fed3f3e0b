import { runbooksNowhere } from "../rules/alert.ts";
import { inhibitions } from "./inhibitions.ts";
import type { Receivers } from "./receiver-settings.ts";

/** Nobody is told: where there is no address for a severity. */
const nobody = "null";

/** When a group is told first, when of changes, and when again while it fires; in seconds. */
interface Pace {
  readonly wait: number;
  readonly interval: number;
  readonly repeat: number;
}

const hour = 3600;
const paces = {
  critical: { wait: 10, interval: 60, repeat: 4 * hour },
  warning: { wait: 60, interval: 300, repeat: 24 * hour },
  // Alertmanager remembers for five days (--data.retention) whom it told: a longer pause would not hold.
  ticket: { wait: 300, interval: hour, repeat: 96 * hour },
  // The dead-man's switch wants to hear often that all is well. Groups are looked at once an interval: with 60 s here,
  // every second look would come a little too early.
  none: { wait: 0, interval: 60, repeat: 50 },
} as const satisfies Record<string, Pace>;

type Severity = keyof typeof paces;
type Channel = "slack" | "email";

/** By which channels a severity is told, when they are set; what has none of its own takes the other. */
const channels: Readonly<Record<Exclude<Severity, "none">, readonly Channel[]>> = {
  critical: ["slack", "email"],
  warning: ["slack"],
  ticket: ["email"],
};

/** The channels that a severity really has. */
function channelsOf(severity: Exclude<Severity, "none">, receivers: Receivers): readonly Channel[] {
  const set = (["slack", "email"] as const).filter((channel) => receivers[channel] !== undefined);
  const wanted = channels[severity].filter((channel) => set.includes(channel));
  return wanted.length > 0 ? wanted : set;
}

function slackConfig({ channel, apiUrlFile }: NonNullable<Receivers["slack"]>): object {
  return {
    api_url_file: apiUrlFile,
    channel,
    send_resolved: true,
    color: '{{ template "backend.color" . }}',
    title: '{{ template "backend.title" . }}',
    title_link: '{{ template "backend.dashboard" (index .Alerts 0) }}',
    text: '{{ template "backend.slack.text" . }}',
    fallback: '{{ template "backend.title" . }}',
    footer: '{{ template "backend.footer" . }}',
  };
}

function emailConfig({ to }: NonNullable<Receivers["email"]>): object {
  return {
    to: to.join(", "),
    send_resolved: true,
    headers: { Subject: '{{ template "backend.title" . }}' },
    html: '{{ template "backend.email.html" . }}',
    text: '{{ template "backend.email.text" . }}',
  };
}

function receiver(severity: Exclude<Severity, "none">, receivers: Receivers): object | undefined {
  const { slack, email } = receivers;
  const used = channelsOf(severity, receivers);
  if (used.length === 0) return undefined;
  return {
    name: severity,
    ...(slack !== undefined && used.includes("slack") ? { slack_configs: [slackConfig(slack)] } : {}),
    ...(email !== undefined && used.includes("email") ? { email_configs: [emailConfig(email)] } : {}),
  };
}

function deadMansSwitch({ deadMansSwitch: target }: Receivers): object | undefined {
  if (target === undefined) return undefined;
  const where = "url" in target ? { url: target.url } : { url_file: target.urlFile };
  return { name: "dead-mans-switch", webhook_configs: [{ ...where, send_resolved: false }] };
}

function mailServer({ smarthost, from, isTlsRequired, login }: NonNullable<Receivers["email"]>): object {
  return {
    smtp_smarthost: smarthost,
    smtp_from: from,
    smtp_require_tls: isTlsRequired,
    ...(login === undefined ? {} : { smtp_auth_username: login.username, smtp_auth_password_file: login.passwordFile }),
  };
}

/**
 * What `alertmanager.yml` says, for Alertmanager 0.25 and newer (a dead-man's switch from a file: 0.26).
 * @param timeScale less than 1 shortens the pauses between messages, for tests
 */
export function alertmanagerConfig(receivers: Receivers, timeScale = 1): object {
  const own = new Map<Severity, object | undefined>([
    ["critical", receiver("critical", receivers)],
    ["warning", receiver("warning", receivers)],
    ["ticket", receiver("ticket", receivers)],
    ["none", deadMansSwitch(receivers)],
  ]);
  // Alertmanager refuses a pause of 0 s, but for the first.
  const duration = (seconds: number): string => `${Math.max(seconds === 0 ? 0 : 1, Math.round(seconds * timeScale))}s`;
  const timing = ({ wait, interval, repeat }: Pace): object => ({
    group_wait: duration(wait),
    group_interval: duration(interval),
    repeat_interval: duration(repeat),
  });
  const route = (severity: Severity): object => ({
    matchers: [`severity="${severity}"`],
    receiver: own.get(severity) === undefined ? nobody : severity === "none" ? "dead-mans-switch" : severity,
    ...timing(paces[severity]),
  });
  return {
    ...(receivers.email === undefined ? {} : { global: mailServer(receivers.email) }),
    templates: ["templates/*.tmpl"],
    route: {
      // An alert without a severity of ours is told like a warning rather than to nobody.
      receiver: own.get("warning") === undefined ? nobody : "warning",
      group_by: ["alertname", "job", "objective"],
      ...timing(paces.warning),
      routes: (Object.keys(paces) as Severity[]).map(route),
    },
    inhibit_rules: inhibitions.map(({ source, target, equal }) => ({
      source_matchers: source,
      target_matchers: target,
      equal,
    })),
    receivers: [{ name: nobody }, ...[...own.values()].filter((each) => each !== undefined)],
  };
}

/** What the environment leaves out, a sentence each; empty when everybody is told, and told what to do. */
export function missingReceivers({ email, slack, deadMansSwitch: target, runbooks }: Receivers): string[] {
  return [
    ...(email === undefined && slack === undefined
      ? ["Alerts are told to nobody: neither ALERTMANAGER_EMAIL_TO nor ALERTMANAGER_SLACK_CHANNEL is set."]
      : runbooks === runbooksNowhere
        ? ["Whoever is woken finds no runbook, the links lead nowhere: RUNBOOK_BASE_URL is not set."]
        : []),
    ...(target === undefined
      ? ["Nobody notices when alerting itself is broken: ALERTMANAGER_DEADMANSSWITCH_URL is not set."]
      : []),
  ];
}
