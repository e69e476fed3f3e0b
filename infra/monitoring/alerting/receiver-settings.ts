import { runbookBase } from "../rules/alert.ts";

/** Where secrets are mounted in the containers of the profiles `alerting` and `grafana-alerting`. */
const secretsFolder = "/run/secrets/alerting";

/**
 * Every variable that says who is told of alerts, with its default, for `.env.example`. Addresses are given here;
 * secrets are only named by the file that holds them, as Alertmanager sees it: it expands no variables, and nothing
 * secret may end up in a file that we write.
 */
export const receiverVariables = {
  ALERTMANAGER_EMAIL_TO: { fallback: "", about: "Who gets alerts by e-mail, separated by commas; empty: nobody." },
  ALERTMANAGER_SMTP_SMARTHOST: { fallback: "", about: "Mail server of alerts, host:port." },
  ALERTMANAGER_SMTP_FROM: { fallback: "", about: "Sender of alerts." },
  ALERTMANAGER_SMTP_AUTH_USERNAME: { fallback: "", about: "User at the mail server; empty: none asked for." },
  ALERTMANAGER_SMTP_AUTH_PASSWORD_FILE: {
    fallback: `${secretsFolder}/smtp-password`,
    about: "File with its password, as Alertmanager sees it.",
  },
  ALERTMANAGER_SMTP_REQUIRE_TLS: { fallback: "true", about: "false: to a mail server without STARTTLS, too." },
  ALERTMANAGER_SLACK_CHANNEL: { fallback: "", about: "Slack channel of alerts, in quotes: '#alerts'; empty: none." },
  ALERTMANAGER_SLACK_API_URL_FILE: {
    fallback: `${secretsFolder}/slack-url`,
    about: "File with the URL of Slack's incoming webhook, as Alertmanager sees it.",
  },
  ALERTMANAGER_DEADMANSSWITCH_URL: {
    fallback: "",
    about: "Webhook that raises the alarm when the alert Watchdog stops coming; empty: none.",
  },
  ALERTMANAGER_DEADMANSSWITCH_URL_FILE: {
    fallback: "",
    about: "The same from a file, where the address is a secret; Alertmanager 0.26 or newer.",
  },
  GRAFANA_URL: {
    fallback: "http://127.0.0.1:3001",
    about: "Where people reach Grafana: the dashboard links of alerts.",
  },
  RUNBOOK_BASE_URL: {
    fallback: "",
    about: "Where people read docs/runbooks: the runbook links of alerts; empty: in the repository of package.json.",
  },
} as const satisfies Record<string, { fallback: string; about: string }>;

type VariableName = keyof typeof receiverVariables;

/** Who is told, and how. */
export interface Receivers {
  readonly email?: {
    readonly to: readonly string[];
    /** host:port */
    readonly smarthost: string;
    readonly from: string;
    readonly isTlsRequired: boolean;
    readonly login?: { readonly username: string; readonly passwordFile: string };
  };
  readonly slack?: { readonly channel: string; readonly apiUrlFile: string };
  /** Its address, or the file that holds it. */
  readonly deadMansSwitch?: { readonly url: string } | { readonly urlFile: string };
  /** Without a slash at the end. */
  readonly grafanaUrl: string;
  /** Where runbooks are read, without a slash at the end; `runbooksNowhere` when nobody has said. */
  readonly runbooks: string;
}

const address = /^[^\s@<>,"]+@[^\s@<>,"]+$/;

/** True for an absolute http or https address. */
function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s"'<>{}]+$/.test(text) && URL.canParse(text);
}

/**
 * Reads who is told of alerts; pure. With faults the receivers are not usable.
 * @returns the faults, each naming its variable and never the value of a secret
 */
export function readReceivers(env: NodeJS.ProcessEnv): { receivers: Receivers; faults: string[] } {
  const faults: string[] = [];
  const value = (name: VariableName): string => env[name]?.trim() || receiverVariables[name].fallback;
  const require = (isRight: boolean, name: VariableName, fault: string): void => {
    if (!isRight) faults.push(`${name} ${fault}`);
  };
  /** A file of a secret; an address in its place would be a secret in the wrong variable, so it is not shown. */
  const file = (name: VariableName): string => {
    const path = value(name);
    require(/^\/[^\s"']+$/.test(path), name, "must be the absolute path of a file, as Alertmanager sees it");
    return path;
  };

  const to = value("ALERTMANAGER_EMAIL_TO")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  let email: Receivers["email"];
  if (to.length > 0) {
    const [smarthost, from] = [value("ALERTMANAGER_SMTP_SMARTHOST"), value("ALERTMANAGER_SMTP_FROM")];
    const isTlsRequired = value("ALERTMANAGER_SMTP_REQUIRE_TLS");
    const username = value("ALERTMANAGER_SMTP_AUTH_USERNAME");
    require(to.every((each) => address.test(each)), "ALERTMANAGER_EMAIL_TO", "must be addresses, separated by commas");
    require(/^[^\s:/]+:\d{1,5}$/.test(smarthost), "ALERTMANAGER_SMTP_SMARTHOST", "must be host:port");
    require(address.test(from), "ALERTMANAGER_SMTP_FROM", "must be an address");
    require(/^(true|false)$/.test(isTlsRequired), "ALERTMANAGER_SMTP_REQUIRE_TLS", "must be true or false");
    email = {
      to,
      smarthost,
      from,
      isTlsRequired: isTlsRequired !== "false",
      ...(username === "" ? {} : { login: { username, passwordFile: file("ALERTMANAGER_SMTP_AUTH_PASSWORD_FILE") } }),
    };
  }

  const channel = value("ALERTMANAGER_SLACK_CHANNEL");
  require(/^([#@]?[^\s#@,]+)?$/.test(channel), "ALERTMANAGER_SLACK_CHANNEL", "must be one channel, e.g. '#alerts'");

  const [url, urlFile] = [value("ALERTMANAGER_DEADMANSSWITCH_URL"), value("ALERTMANAGER_DEADMANSSWITCH_URL_FILE")];
  require(url === "" || isWebAddress(url), "ALERTMANAGER_DEADMANSSWITCH_URL", "must be an http or https address");
  require(url === "" || urlFile === "", "ALERTMANAGER_DEADMANSSWITCH_URL_FILE", "can't be set beside _URL");

  const grafanaUrl = value("GRAFANA_URL").replace(/\/+$/, "");
  require(isWebAddress(grafanaUrl), "GRAFANA_URL", "must be an http or https address");

  const runbooks = value("RUNBOOK_BASE_URL");
  require(runbooks === "" || isWebAddress(runbooks), "RUNBOOK_BASE_URL", "must be an http or https address");

  return {
    receivers: {
      grafanaUrl,
      runbooks: runbookBase(runbooks),
      ...(email === undefined ? {} : { email }),
      ...(channel === "" ? {} : { slack: { channel, apiUrlFile: file("ALERTMANAGER_SLACK_API_URL_FILE") } }),
      ...(url === "" ? {} : { deadMansSwitch: { url } }),
      ...(urlFile === "" ? {} : { deadMansSwitch: { urlFile: file("ALERTMANAGER_DEADMANSSWITCH_URL_FILE") } }),
    },
    faults,
  };
}
