import type { MetricDefinition, MetricKind } from "./metric-definition.ts";

/** The prefix of our own names unless PROMETHEUS__METRIC_NAMESPACE and _SUBSYSTEM say otherwise. */
export const defaultPrefix = "mlops_backend";
const ownPrefix = "mlops.backend.";

/** What units become (OpenTelemetry–Prometheus compatibility specification, "Metric Metadata"). */
const unitWords: ReadonlyMap<string, string> = new Map([
  ["s", "seconds"],
  ["ms", "milliseconds"],
  ["By", "bytes"],
]);

/** The word for a unit in names and `# UNIT`; undefined for none and for annotations in braces. */
export function unitWord(definition: Pick<MetricDefinition, "unit" | "kind">): string | undefined {
  if (definition.unit === "1" && definition.kind === "gauge") return "ratio";
  return unitWords.get(definition.unit);
}

/** Characters outside Prometheus' alphabet become `_`, several of them one, and a name begins with none of its digits. */
function legalName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9]+/g, "_");
  return /^([0-9]|$)/.test(name) ? `key_${name}` : name;
}

/** `le` belongs to the buckets of histograms; names with `__`, which are Prometheus' own, don't come out of `legalName`. */
export function labelName(attribute: string): string {
  const name = legalName(attribute);
  return name === "le" ? `key_${name}` : name;
}

export const isCounter = (kind: MetricKind): boolean => kind === "counter" || kind === "observableCounter";

/**
 * A metric's family name in the exposition, without `_total`: the OpenTelemetry–Prometheus compatibility
 * specification's rules (dots to underscores, unit suffix), or `prometheusName`.
 */
export function familyName(definition: MetricDefinition, prefix: string = defaultPrefix): string {
  if (definition.prometheusName !== undefined) return definition.prometheusName.replace(/_total$/, "");
  const isOwn = definition.name.startsWith(ownPrefix);
  const rest = legalName(isOwn ? definition.name.slice(ownPrefix.length) : definition.name);
  const full = isOwn && prefix !== "" ? `${prefix}_${rest}` : rest;
  // A counter gets its `_total` later, behind the unit, and once.
  const base = isCounter(definition.kind) ? full.replace(/(?<=.)(_total)+$/, "") : full;
  const unit = unitWord(definition);
  return unit === undefined || base.endsWith(`_${unit}`) ? base : `${base}_${unit}`;
}

/** The name that queries use: family name, and `_total` for counters. Histograms add _bucket, _sum, _count. */
export function prometheusName(definition: MetricDefinition, prefix: string = defaultPrefix): string {
  return isCounter(definition.kind) ? `${familyName(definition, prefix)}_total` : familyName(definition, prefix);
}
