import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import { PanelBuilder as AnyPanelBuilder, type Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { type Colours, described, lineHeight, type PanelText, thresholds } from "./panels.ts";
import { datasources, query } from "./targets.ts";

/** A query whose latest values are a column. */
export interface Column {
  readonly title: string;
  readonly expression: string;
  readonly unit: string;
  readonly colours?: Colours;
}

export interface TableText extends Pick<PanelText, "title" | "description" | "noValue" | "span"> {
  /** The labels that make a row, with their titles; several columns are joined by the first. */
  readonly labels: Readonly<Record<string, string>>;
  readonly columns: readonly Column[];
  /** What values of a label are called. */
  readonly words?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The latest values, a row for each set of labels. */
export function table({ labels, columns, words = {}, ...text }: TableText): Builder<Panel> {
  const panel = described(new TableBuilder(), { ...text, unit: "short" })
    .span(text.span ?? 24)
    .height(lineHeight);
  const renamed: Record<string, string> = { ...labels };
  for (const [index, { title, expression, unit, colours }] of columns.entries()) {
    const target = query([title, expression], index);
    panel.withTarget(target.instant().format(PromQueryFormat.Table));
    // Grafana's names of the values: with the refId where there are several queries.
    renamed[columns.length === 1 ? "Value" : `Value #${String.fromCharCode(65 + index)}`] = title;
    const properties = [{ id: "unit", value: unit }];
    const coloured =
      colours === undefined
        ? []
        : [
            { id: "thresholds", value: thresholds(colours).build() },
            { id: "custom.cellOptions", value: { type: "color-text" } },
          ];
    panel.overrideByName(title, [...properties, ...coloured]);
  }
  for (const [label, wordOf] of Object.entries(words)) {
    const options = Object.fromEntries(Object.entries(wordOf).map(([value, word]) => [value, { text: word }]));
    panel.overrideByName(labels[label] ?? label, [{ id: "mappings", value: [{ type: "value", options }] }]);
  }
  const [joinedBy] = Object.keys(labels);
  if (columns.length > 1)
    panel.withTransformation({ id: "joinByField", options: { byField: joinedBy, mode: "outer" } });
  const times = ["Time", ...columns.map((_, index) => `Time ${index + 1}`)];
  const order = Object.keys(renamed);
  return panel.withTransformation({
    id: "organize",
    options: {
      excludeByName: Object.fromEntries(times.map((name) => [name, true])),
      indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
      renameByName: renamed,
    },
  });
}

/**
 * Grafana's own list of what fires or is about to, from the rules of Prometheus; it leads to the rule. The SDK has no
 * builder for it.
 */
export function alertList(text: Pick<PanelText, "title" | "description" | "span">): Builder<Panel> {
  return new AnyPanelBuilder()
    .type("alertlist")
    .title(text.title)
    .description(text.description)
    .options({
      alertInstanceLabelFilter: '{alertname!="Watchdog"}',
      alertName: "",
      dashboardAlerts: false,
      // By its name, not its uid.
      datasource: datasources.Prometheus.uid,
      groupBy: [],
      groupMode: "default",
      maxItems: 20,
      showInstances: false,
      // The most important first.
      sortOrder: 3,
      stateFilter: { error: true, firing: true, noData: false, normal: false, pending: true, recovering: true },
      viewMode: "list",
    })
    .span(text.span ?? 8)
    .height(lineHeight);
}
