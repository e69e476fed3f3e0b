/** A value that the code makes from a bounded source (route templates, versions) and not from a list written here. */
export const fromBoundedSource = "bounded";
/** Marks the one series into which everything beyond a metric's series limit goes (OpenTelemetry metrics SDK, "Cardinality limits"). */
export const overflowAttribute = "otel.metric.overflow";
export type AttributeValues = readonly string[] | typeof fromBoundedSource;

/** `gauge` is read at scrape (observable); `upDownCounter` is kept by events and shown as a gauge. */
export type MetricKind = "counter" | "observableCounter" | "upDownCounter" | "gauge" | "histogram";

export interface MetricDefinition {
  /** OpenTelemetry name; `mlops.backend.` is replaced by the configured prefix in the exposition. */
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM; `s` and `By` become suffixes, annotations in braces do not. */
  readonly unit: string;
  readonly description: string;
  /** OpenTelemetry attribute names and what they may hold. */
  readonly attributes: Readonly<Record<string, AttributeValues>>;
  /** Histograms only; "latency" is PROMETHEUS__LATENCY_BUCKETS. */
  readonly bounds?: readonly number[] | "latency";
  /** `deployment`: every replica reads the same, so queries take max without (instance), never sum. */
  readonly scope: "process" | "deployment";
  /** The roles whose process has it from the start; default both. */
  readonly role?: "api" | "worker";
  /** Shown with 0 before the first event, over all combinations of its closed sets. */
  readonly fromStart: boolean;
  /** Those of its combinations that nothing can ever be counted for: they are not shown. */
  readonly impossible?: readonly Readonly<Record<string, string>>[];
  /** Most attribute sets kept; needed where a set isn't closed or where fewer than all combinations are expected. */
  readonly seriesLimit?: number;
  /** A name that no rule gives, e.g. what Prometheus clients call it. */
  readonly prometheusName?: string;
  /** Set by the exposition itself, not by an instrument. */
  readonly source?: "exposition";
}

/** 0.5 is named by the latency objective. */
export const defaultLatencyBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Upper bounds of a histogram; "latency" is what the settings say. */
export function boundsOf(
  definition: MetricDefinition,
  latencyBounds: readonly number[] = defaultLatencyBounds,
): readonly number[] {
  return definition.bounds === "latency" ? latencyBounds : (definition.bounds ?? []);
}
