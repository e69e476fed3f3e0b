import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  AnnotationQueryBuilder,
  CustomVariableBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Queries } from "../queries/queries.ts";
import { type DashboardUid, dashboardTitles, dashboardUids } from "./dashboard-list.ts";
import { text } from "./panels.ts";
import { datasources } from "./targets.ts";

export interface DashboardText {
  readonly uid: DashboardUid;
  /** One sentence for the list of dashboards. */
  readonly description: string;
  /** Markdown of the panel at the top: which questions it answers, and how to read it. */
  readonly answers: string;
  /** From left to right; the spans of a line add up to 24. */
  readonly panels: readonly Builder<Panel>[];
  /** Panels of a row at the bottom that is closed: until somebody opens it, nothing of it is asked. */
  readonly logs?: readonly Builder<Panel>[];
  /** What panels of logs and traces are narrowed by, beside the job and the instance. */
  readonly variables?: readonly (keyof typeof ownVariables)[];
}

const slowerThan = ["100ms", "500ms", "2s", "10s", "1m"] as const;

/** Boxes to write or choose in: they ask no data source, which may not be there. */
const ownVariables = {
  service: (service: string) =>
    new TextBoxVariableBuilder("service")
      .label("Service")
      .defaultValue(service)
      .current({ selected: true, text: service, value: service }),
  slower: () =>
    new CustomVariableBuilder("slower")
      .label("Slower than")
      .values(slowerThan.join(","))
      .options(slowerThan.map((text) => ({ selected: text === "500ms", text, value: text })))
      .current({ selected: true, text: "500ms", value: "500ms" }),
  id: () =>
    new TextBoxVariableBuilder("id")
      .label("Run, trace or request")
      .defaultValue("none")
      .current({ selected: true, text: "none", value: "none" }),
} as const;

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasources.Prometheus)
    .query({ query, refId: `variable-${name}` })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: "All", value: "$__all" });
}

const annotation = (name: string, color: string, expression: string): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder()
    .name(name)
    .datasource(datasources.Prometheus)
    .enable(true)
    .iconColor(color)
    .expr(expression);

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
export function buildDashboard(dashboardText: DashboardText, queries: Queries, service: string): Dashboard {
  const { uid, description, answers, panels, logs = [], variables = [] } = dashboardText;
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
      // «All» is all of the list, never `.+`: that would be the jobs of others, too. Each line of the list is a whole
      // series, of which the label is cut out.
      variable("job", "Job", queries.variables.job).regex('/job="([^"]+)"/'),
      // A process that is away is in no list, and must be seen all the same.
      variable("instance", "Instance", queries.variables.instance).allValue(".+"),
      ...variables.map((name) => ownVariables[name](service)),
    ])
    .annotations(annotations(queries))
    .links(dashboardUids.filter((other) => other !== uid).map(linkTo));
  for (const panel of [text(answers), ...panels]) builder.withPanel(panel);
  if (logs.length > 0) {
    const row = new RowBuilder("Logs, with the profile tracing").collapsed(true);
    for (const panel of logs) row.withPanel(panel);
    builder.withRow(row);
  }
  const dashboard = builder.build();
  const all = (dashboard.panels ?? []).flatMap((panel) => ("panels" in panel ? [panel, ...panel.panels] : [panel]));
  // The SDK gives no ids; without them Grafana can't link to a panel.
  for (const [index, panel] of all.entries()) panel.id = index + 1;
  // Its default is "inControlsMenu", which hides the links behind a button.
  const ofPanels = all.flatMap((panel) => ("links" in panel ? (panel.links ?? []) : []));
  for (const link of [...(dashboard.links ?? []), ...ofPanels]) delete link.placement;
  return dashboard;
}
