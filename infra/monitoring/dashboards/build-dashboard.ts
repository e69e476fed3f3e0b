import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Queries } from "../queries.ts";
import { type DashboardUid, dashboardTitles, dashboardUids } from "./dashboard-list.ts";
import { datasource, text } from "./panels.ts";

export interface DashboardText {
  readonly uid: DashboardUid;
  /** One sentence for the list of dashboards. */
  readonly description: string;
  /** Markdown of the panel at the top: which questions it answers, and how to read it. */
  readonly answers: string;
  /** From left to right; the spans of a line add up to 24. */
  readonly panels: readonly Builder<Panel>[];
}

function variable(name: string, label: string, labelValues: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query: labelValues, refId: `variable-${name}` })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".+")
    .current({ selected: true, text: "All", value: "$__all" });
}

const annotation = (name: string, color: string, expression: string): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder().name(name).datasource(datasource).enable(true).iconColor(color).expr(expression);

function annotations({ annotations: of }: Queries): AnnotationQueryBuilder[] {
  return [
    // At the time that the process itself gives, in milliseconds.
    annotation("Restarts", "purple", of.restarts)
      .titleFormat("Process started")
      .textFormat("{{instance}}")
      .useValueForTime(true),
    annotation("Deployments", "blue", of.deployments)
      .titleFormat("Version {{version}}")
      .textFormat("Revision {{revision}}, seen for the first time"),
    annotation("Firing alerts", "red", of.firingAlerts)
      .titleFormat("{{alertname}}")
      .textFormat("{{severity}} {{objective}}")
      .tagKeys("severity"),
  ];
}

function linkTo(uid: DashboardUid): DashboardLinkBuilder {
  return new DashboardLinkBuilder(dashboardTitles[uid].replace(/^Backend: /, ""))
    .type(DashboardLinkType.Link)
    .icon("dashboard")
    .url(`/d/${uid}`)
    .includeVars(true)
    .keepTime(true);
}

/** A dashboard as Grafana reads it, with variables, annotations and the links to all the others. */
export function buildDashboard({ uid, description, answers, panels }: DashboardText, queries: Queries): Dashboard {
  const builder = new DashboardBuilder(dashboardTitles[uid])
    .uid(uid)
    .description(description)
    .tags(["mlops-backend"])
    .timezone("browser")
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh("30s")
    .time({ from: "now-1h", to: "now" })
    .variables([
      variable("job", "Job", queries.variables.job),
      variable("instance", "Instance", queries.variables.instance),
    ])
    .annotations(annotations(queries))
    .links(dashboardUids.filter((other) => other !== uid).map(linkTo));
  for (const panel of [text(answers), ...panels]) builder.withPanel(panel);
  const dashboard = builder.build();
  // The SDK gives no ids; without them Grafana can't link to a panel.
  dashboard.panels = dashboard.panels?.map((panel, index) => ({ ...panel, id: index + 1 })) ?? [];
  // Its default is "inControlsMenu", which hides the links behind a button.
  const ofPanels = dashboard.panels.flatMap((panel) => ("links" in panel ? (panel.links ?? []) : []));
  for (const link of [...(dashboard.links ?? []), ...ofPanels]) delete link.placement;
  return dashboard;
}
