import packageFile from "../../../package.json" with { type: "json" };
import type { ObjectiveKey } from "../objectives.ts";
import type { RuleScope } from "./rule-scope.ts";

/**
 * critical: wakes somebody. warning: to be looked at during the day. ticket: to be planned. none: Watchdog's, which
 * means that all is well.
 */
export type Severity = "critical" | "warning" | "ticket" | "none";

/** Dashboards that an alert can link, by what follows `mlops-backend-` in their uid. */
export type DashboardName = "overview" | "http" | "datasets" | "training" | "runtime" | "telemetry";

/**
 * How long an alert goes on at least after what it saw is gone. A target or a database that comes and goes, a scrape that
 * is missed, a gauge that is absent for one reading would else end the alert at once and begin its `for` anew: whoever is
 * on call would be told of an end and a beginning every few minutes, or of nothing. Longer where what comes and goes does
 * so more slowly; none for Watchdog, which never ends.
 */
export const settlingSeconds = 300;

/** One alert rule. Several of one name differ in their labels. */
export interface AlertRule {
  readonly name: string;
  readonly severity: Severity;
  readonly objective?: ObjectiveKey;
  /** Labels that tell rules of one name apart. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly expr: string;
  readonly forSeconds: number;
  readonly keepFiringForSeconds: number;
  readonly summary: string;
  /** Prometheus' template; says the current value. */
  readonly description: string;
  readonly dashboard: DashboardName;
}

/** A series of a case: promtool's notation for the values (`0+10x60`), one a minute. */
export interface CaseSeries {
  readonly series: string;
  readonly values: string;
}

/** An alert that must fire: of which rule, with which labels of the series, saying what. */
export interface ExpectedAlert {
  readonly rule: AlertRule;
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
}

/** One promtool test: what is seen, and which alerts of that name fire when; no others may. */
export interface AlertCase {
  readonly name: string;
  readonly series: readonly CaseSeries[];
  readonly checks: readonly { readonly atSeconds: number; readonly fire: readonly ExpectedAlert[] }[];
}

/** The rules of one alert with the cases that prove them. */
export interface AlertFamily {
  readonly name: string;
  /** The file that its rules stand in, under `rules/`. */
  readonly file: string;
  /** The file that its cases stand in, under `tests/`, and how they are evaluated; default: as `file`, each minute. */
  readonly tests?: {
    readonly file: string;
    /** Other rule files that its expressions read. */
    readonly reads: readonly string[];
    /** promtool evaluates every group at each step, whatever its interval: slots of 5 minutes need such steps. */
    readonly stepSeconds: number;
  };
  rules(scope: RuleScope): readonly AlertRule[];
  /** For the default prefix in real time. Each family has a case that fires and one close by that doesn't. */
  readonly cases: readonly AlertCase[];
}

/** Where the links to runbooks lead while nobody has said where they are read: a name that nobody can own (RFC 2606). */
export const runbooksNowhere = "https://set-runbook-base-url.example/docs/runbooks";

/**
 * Where runbooks are read, without a slash at the end: at the address of RUNBOOK_BASE_URL, else in the repository that
 * package.json names, on its branch main.
 */
export function runbookBase(
  setting = "",
  repository: unknown = (packageFile as { repository?: unknown }).repository,
): string {
  if (setting !== "") return setting.replace(/\/+$/, "");
  const address =
    typeof repository === "object" && repository !== null && "url" in repository ? repository.url : repository;
  const url = typeof address === "string" ? address.replace(/^git\+/, "").replace(/\.git$/, "") : "";
  return url.startsWith("https://") ? `${url}/blob/main/docs/runbooks` : runbooksNowhere;
}

/** The labels that a rule sets. */
export function ruleLabels({ severity, objective, labels = {} }: AlertRule): Record<string, string> {
  return { severity, ...(objective === undefined ? {} : { objective }), ...labels };
}

/** The annotations of a rule; `description` is given for a test, which knows the values. */
export function ruleAnnotations(
  rule: AlertRule,
  runbooks: string = runbookBase(),
  description: string = rule.description,
): Record<string, string> {
  return {
    summary: rule.summary,
    description,
    // In the repository: leads somewhere, too, where nobody has said at which address it is read.
    runbook: `docs/runbooks/${rule.name}.md`,
    runbook_url: `${runbooks}/${rule.name}.md`,
    dashboard_url: `/d/mlops-backend-${rule.dashboard}`,
  };
}
