import { DataqueryBuilder as LokiQueryBuilder } from "@grafana/grafana-foundation-sdk/loki";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { SearchTableType, DataqueryBuilder as TempoQueryBuilder } from "@grafana/grafana-foundation-sdk/tempo";

/** The provisioned data sources (`infra/monitoring/grafana/provisioning/datasources`). */
export const datasources = {
  Prometheus: { type: "prometheus", uid: "Prometheus" },
  Loki: { type: "loki", uid: "Loki" },
  Tempo: { type: "tempo", uid: "Tempo" },
} as const;
/** What answers with numbers. */
export type NumberSource = "Prometheus" | "Loki";

/** One query of a panel with its legend in words. */
export type Target = readonly [legend: string, expression: string];

/** The SDK leaves refId out; Grafana tells the queries of a panel apart by it. */
const refIdOf = (index: number): string => String.fromCharCode(65 + index);

/** One query of Prometheus, as Grafana keeps it. */
export function query([legend, expression]: Target, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .expr(expression)
    .legendFormat(legend)
    .refId(refIdOf(index))
    .datasource(datasources.Prometheus);
}

/** One query of Loki: numbers over time, the latest numbers, or lines. */
function lokiQuery([legend, expression]: Target, index: number, queryType: "range" | "instant"): LokiQueryBuilder {
  return new LokiQueryBuilder()
    .expr(expression)
    .legendFormat(legend)
    .queryType(queryType)
    .refId(refIdOf(index))
    .datasource(datasources.Loki);
}

/** A figure over time. */
export function overTime(source: NumberSource, target: Target, index: number, withExemplars: boolean) {
  return source === "Loki" ? lokiQuery(target, index, "range") : query(target, index).range().exemplar(withExemplars);
}

/** The latest figure. */
export function latest(source: NumberSource, target: Target, index: number) {
  return source === "Loki" ? lokiQuery(target, index, "instant") : query(target, index).instant();
}

/** Lines of the log, the newest first. */
export const linesOf = (expression: string): LokiQueryBuilder =>
  lokiQuery(["Lines", expression], 0, "range").maxLines(200);

/** Traces that match, at most fifty. */
export function tracesOf(expression: string): TempoQueryBuilder {
  return new TempoQueryBuilder()
    .query(expression)
    .queryType("traceql")
    .tableType(SearchTableType.Traces)
    .limit(50)
    .filters([])
    .refId(refIdOf(0))
    .datasource(datasources.Tempo);
}
