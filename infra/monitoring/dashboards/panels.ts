import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardLinkBuilder,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from "@grafana/grafana-foundation-sdk/heatmap";
import { PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TextBuilder, TextMode } from "@grafana/grafana-foundation-sdk/text";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { type DashboardUid, dashboardTitles } from "./dashboard-list.ts";
import { datasources, latest, type NumberSource, overTime, query, type Target } from "./targets.ts";

/** Hands the chosen job, instance and time on to the dashboard that is linked to. */
const chosen = ["job:queryparam", "instance:queryparam", "__url_time_range"].map((name) => `\${${name}}`).join("&");

/** Grid rows of a line of graphs; 40 rows are a dashboard. */
export const lineHeight = 7;
const numberHeight = 4;
const textHeight = 3;

/** Grafana's unit of whole things: 1,234, where its "short" would say 1.23 K. */
export const whole = "locale";

/** The colour below the first limit, then each limit with the colour from there on. */
export type Colours = readonly [base: Colour, ...limits: (readonly [from: number, colour: Colour])[]];
type Colour = "green" | "orange" | "red" | "text";

export interface PanelText {
  readonly title: string;
  /** What the panel shows, and when to worry. */
  readonly description: string;
  /** Grafana's unit id. */
  readonly unit: string;
  /** Shown in place of data: why there is none. */
  readonly noValue: string;
  readonly targets: readonly Target[];
  /** Who answers; by default Prometheus. */
  readonly source?: NumberSource;
  /** Columns of 24; by default 8 of a graph, 4 of a number, 12 of a heat map, 24 of a table. */
  readonly span?: number;
  readonly colours?: Colours;
  readonly decimals?: number;
  /** The highest value of the axis, e.g. 1 of a share. */
  readonly max?: number;
  /** The dashboard that says more. */
  readonly details?: DashboardUid;
  /** Exemplars lead from a point of a latency to a trace. */
  readonly withExemplars?: boolean;
}

/** The parts of the SDK's builders that all panels with data share. */
interface DataPanelBuilder<Self> {
  title(title: string): Self;
  description(description: string): Self;
  datasource(source: (typeof datasources)[keyof typeof datasources]): Self;
  unit(unit: string): Self;
  noValue(noValue: string): Self;
  links(links: DashboardLinkBuilder[]): Self;
}

/** A builder with what every panel with data says of itself. */
export function described<Self extends DataPanelBuilder<Self>>(
  panel: Self,
  text: Omit<PanelText, "targets" | "source"> & { readonly source?: keyof typeof datasources },
): Self {
  const { title, description, unit, noValue, details, source = "Prometheus" } = text;
  const links =
    details === undefined ? [] : [new DashboardLinkBuilder(dashboardTitles[details]).url(`/d/${details}?${chosen}`)];
  return panel
    .title(title)
    .description(description)
    .datasource(datasources[source])
    .unit(unit)
    .noValue(noValue)
    .links(links);
}

/** Limits as Grafana keeps them. */
export function thresholds([base, ...limits]: Colours): ThresholdsConfigBuilder {
  const steps = limits.map(([value, color]) => ({ value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: base }, ...steps]);
}

/** What Grafana replaces in legends that show a label's values, by a regular expression: words in place of names. */
const renames: readonly (readonly [label: string, regex: string, by: string])[] = [
  // server_error, out_of_memory
  ["(outcome|error_type)", "/_/g", " "],
  // Prometheus puts the file before the group.
  ["rule_group", "/[^ ]*;/", ""],
];

/** Lines over time; limits are drawn as dashed lines. */
export function graph(text: PanelText): TimeseriesBuilder {
  const legend = new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);
  const panel = described(new TimeseriesBuilder(), text)
    .axisSoftMin(0)
    .lineWidth(1)
    .fillOpacity(8)
    .legend(legend)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .span(text.span ?? 8)
    .height(lineHeight);
  if (text.colours !== undefined) {
    const style = new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed);
    panel.thresholds(thresholds(text.colours)).thresholdsStyle(style);
  }
  if (text.decimals !== undefined) panel.decimals(text.decimals);
  if (text.max !== undefined) panel.max(text.max);
  for (const [index, target] of text.targets.entries())
    panel.withTarget(overTime(text.source ?? "Prometheus", target, index, text.withExemplars === true));
  for (const [label, regex, renamePattern] of renames) {
    if (text.targets.some(([shown]) => new RegExp(`{{${label}}}`).test(shown)))
      panel.withTransformation({ id: "renameByRegex", options: { regex, renamePattern } });
  }
  return panel;
}

/** How many in each bar, on top of each other; the queries are `counts`. */
export function bars(text: PanelText): Builder<Panel> {
  const stacked = new StackingConfigBuilder().mode(StackingMode.Normal).group("A");
  // The shortest step: with shorter ones the ranges of two bars, which are at least four scrapes, would overlap.
  // Whole things: what of one falls between two scrapes is a part of it to the query, and none to the reader.
  return graph({ decimals: 0, ...text })
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(80)
    .stacking(stacked)
    .interval("1m");
}

/** The latest figures, large; their limits colour them. */
export function number(text: PanelText): Builder<Panel> {
  const panel = described(new StatBuilder(), text)
    .colorMode(text.colours === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .span(text.span ?? 4)
    .height(numberHeight);
  if (text.colours !== undefined) panel.thresholds(thresholds(text.colours));
  if (text.decimals !== undefined) panel.decimals(text.decimals);
  if (text.max !== undefined) panel.max(text.max);
  for (const [index, target] of text.targets.entries())
    panel.withTarget(latest(text.source ?? "Prometheus", target, index));
  return panel;
}

/** How many events fell into each bucket of a histogram, over time. */
export function heatmap(text: Omit<PanelText, "source">): Builder<Panel> {
  const panel = described(new HeatmapBuilder(), text)
    .calculate(false)
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme("Oranges")
        .fill("dark-orange")
        .exponent(0.5)
        .steps(64)
        .reverse(false),
    )
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .yAxis(new YAxisConfigBuilder().unit(text.unit))
    .filterValues({ build: () => ({ le: 1e-9 }) })
    .cellGap(1)
    .showLegend()
    .span(text.span ?? 12)
    .height(lineHeight);
  for (const [index, target] of text.targets.entries()) {
    panel.withTarget(
      query(target, index)
        .range()
        .format(PromQueryFormat.Heatmap)
        .exemplar(text.withExemplars === true),
    );
  }
  return panel;
}

/** Markdown over the whole width. */
export function text(content: string): Builder<Panel> {
  return new TextBuilder().title("").mode(TextMode.Markdown).content(content).span(24).height(textHeight);
}
