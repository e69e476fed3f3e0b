/** Every query of Prometheus in a dashboard; Loki's are called `expr` as well. */
export function promqlOf(part: unknown): string[] {
  if (typeof part !== "object" || part === null) return [];
  const { expr, datasource } = part as { expr?: string; datasource?: { type?: string } };
  const own = expr !== undefined && datasource?.type === "prometheus" ? [expr] : [];
  return [...own, ...Object.values(part).flatMap(promqlOf)];
}
