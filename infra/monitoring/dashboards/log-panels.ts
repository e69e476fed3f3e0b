import { PanelBuilder as BarGaugeBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BarGaugeDisplayMode,
  LogsDedupStrategy,
  LogsSortOrder,
  ReduceDataOptionsBuilder,
  TableSortByFieldStateBuilder,
  VizOrientation,
} from "@grafana/grafana-foundation-sdk/common";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as LogsBuilder } from "@grafana/grafana-foundation-sdk/logs";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { described, lineHeight, type PanelText } from "./panels.ts";
import { latest, linesOf, tracesOf } from "./targets.ts";

interface SearchText extends Pick<PanelText, "title" | "description" | "noValue" | "span"> {
  readonly expression: string;
}

/** Lines of the log in Loki, the newest first; one that is opened leads to its trace and its run. */
export function lines({ expression, ...text }: SearchText): Builder<Panel> {
  return described(new LogsBuilder(), { ...text, source: "Loki", unit: "string" })
    .showTime(true)
    .showLabels(false)
    .showCommonLabels(false)
    .wrapLogMessage(true)
    .prettifyLogMessage(false)
    .enableLogDetails(true)
    .sortOrder(LogsSortOrder.Descending)
    .dedupStrategy(LogsDedupStrategy.None)
    .span(text.span ?? 12)
    .height(lineHeight)
    .withTarget(linesOf(expression));
}

/** Traces that Tempo finds, the longest first; each leads to itself. */
export function traces({ expression, ...text }: SearchText): Builder<Panel> {
  return (
    described(new TableBuilder(), { ...text, source: "Tempo", unit: "string" })
      // As Tempo's data source calls its column.
      .sortBy([new TableSortByFieldStateBuilder().displayName("Duration").desc(true)])
      .span(text.span ?? 12)
      .height(lineHeight)
      .withTarget(tracesOf(expression))
  );
}

/** The latest figures of Loki as bars, the largest ones told apart by their legend. */
export function bars(text: PanelText): Builder<Panel> {
  const panel = described(new BarGaugeBuilder(), { ...text, source: "Loki" })
    .displayMode(BarGaugeDisplayMode.Basic)
    .orientation(VizOrientation.Horizontal)
    .showUnfilled(false)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .span(text.span ?? 8)
    .height(lineHeight);
  for (const [index, target] of text.targets.entries()) panel.withTarget(latest("Loki", target, index));
  return panel;
}
