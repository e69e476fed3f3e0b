import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";

interface Link {
  readonly title: string;
  readonly url: string;
  readonly includeVars?: boolean;
  readonly keepTime?: boolean;
}
/** As much of a panel as tests look at. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  /** The shortest step. */
  readonly interval?: string;
  readonly datasource?: { readonly uid: string; readonly type: string };
  /** Of a row that is closed. */
  readonly panels?: readonly Panel[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly decimals?: number;
      readonly noValue?: string;
      readonly thresholds?: { steps: unknown[] };
      readonly custom?: { readonly drawStyle?: string };
    };
    readonly overrides?: readonly {
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly targets?: readonly {
    /** Of Prometheus and Loki. */
    readonly expr?: string;
    /** Of Tempo. */
    readonly query?: string;
    readonly refId: string;
    readonly legendFormat?: string;
    readonly datasource: { readonly uid: string };
    readonly range?: boolean;
    readonly exemplar?: boolean;
  }[];
  readonly links?: readonly Link[];
  readonly transformations?: readonly {
    readonly id: string;
    readonly options: { readonly regex: string; readonly renamePattern: string };
  }[];
  readonly options?: { readonly content?: string };
}
/** As much of a dashboard as tests look at. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly links: readonly Link[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly query: { query: string };
      readonly regex?: string;
      readonly allValue?: string | null;
    }[];
  };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly enable: boolean; expr: string }[] };
}

/** All dashboards, as they are generated with that environment. */
export function readDashboards(env: NodeJS.ProcessEnv = {}): Dashboard[] {
  return [...generatedFiles(env)]
    .filter(([path]) => path.includes("/grafana/dashboards/"))
    .map(([, text]) => JSON.parse(text));
}
/** Every panel, those of closed rows too. */
export const everyPanel = ({ panels }: Pick<Dashboard, "panels">): Panel[] =>
  panels.flatMap((panel) => [panel, ...everyPanel({ panels: panel.panels ?? [] })]);
/** Those that draw something of what was asked for. */
export const charts = (dashboard: Dashboard): Panel[] =>
  everyPanel(dashboard).filter(({ type }) => !["text", "alertlist", "row"].includes(type));
