import { isSent } from "../metric-settings.ts";
import { isSdkDisabled, type TelemetrySettings } from "../telemetry-settings.ts";
import { openTelemetryVariables } from "./all-variables.ts";
import { type Condition, conditions } from "./variable.ts";

/** What the operator of OpenTelemetry, vendors and the agents of other languages set for themselves. */
const ofOthers =
  /^OTEL_(RESOURCE_ATTRIBUTES_|INJECTOR_|POD_|NODE_IP$|NODE_NAME$|SERVICE_NAMESPACE$|GO_|PYTHON_|JAVA|DOTNET_|PHP_|RUBY_|ERLANG_|LUA_|INSTRUMENTATION_|EBPF_|OPERATOR_|COLLECTOR_|AGENT_|AWS_|LAMBDA_)/;

function isMet(condition: Condition, { traces, logs, metrics }: TelemetrySettings): boolean {
  const met: Readonly<Record<Condition, boolean>> = {
    traces: traces !== undefined,
    logs: logs !== undefined,
    "traces or logs": traces !== undefined || logs !== undefined,
    "metrics by otlp": metrics?.otlp !== undefined,
    "metrics that are sent": metrics !== undefined && isSent(metrics),
    "anything by otlp": traces !== undefined || logs !== undefined || metrics?.otlp !== undefined,
    "/metrics": metrics?.prometheus === true,
  };
  return met[condition];
}

function whyUnheard(name: string, settings: TelemetrySettings, env: NodeJS.ProcessEnv): string | undefined {
  const variable = openTelemetryVariables[name];
  if (variable === undefined) return ofOthers.test(name) ? undefined : "not a variable of OpenTelemetry's SDK";
  const { needs, about, leavesOut } = variable;
  if (needs === "nothing") return about;
  if (needs !== undefined && !isMet(needs, settings)) return conditions[needs];
  return leavesOut?.(env[name] ?? "", { settings, env });
}

/**
 * What of OpenTelemetry's variables is set and not followed, or not wholly: `NAME, NAME (why)`. With
 * OTEL_SDK_DISABLED=true that is what was wanted, and nothing is said; nor of what others' tools set for themselves.
 * @param isOther names that are spoken of elsewhere, or are not meant for telemetry
 */
export function unheardVariables(
  env: NodeJS.ProcessEnv,
  settings: TelemetrySettings,
  isOther: (name: string) => boolean = () => false,
): string[] {
  if (isSdkDisabled(env)) return [];
  const namesByReason = new Map<string, string[]>();
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith("OTEL_") || env[name]?.trim() === "" || isOther(name)) continue;
    const why = whyUnheard(name, settings, env);
    if (why !== undefined) namesByReason.set(why, [...(namesByReason.get(why) ?? []), name]);
  }
  return [...namesByReason].map(([why, names]) => `${names.join(", ")} (${why})`);
}
