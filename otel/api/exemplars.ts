import { type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import { boundsOf, type MetricDefinition } from "./catalogue/metric-definition.ts";

/** One measurement that belongs to a trace which is kept: the way from a point of a chart to that trace. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  readonly timestampSeconds: number;
}

/** What decides between two measurements of one bucket. */
interface Offer {
  readonly isError: boolean;
  /** The slower, the more it tells; of a size, the larger. */
  readonly weight: number;
}

/** After so long any newer one replaces it: the worst of the day would hide what is slow now. Four scrapes. */
const keptSeconds = 60;

type Attributes = Readonly<Record<string, unknown>>;

/** The exemplars of one series: one for each bucket, the last for what lies above all bounds; a counter has only that. */
export class ExemplarSlots {
  readonly #bounds: readonly number[];
  readonly #slots: ((Exemplar & Offer) | undefined)[] = [];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  /** Keeps it if its bucket has none, an older one, or one that tells less: an error comes first, then the slowest. */
  offer(
    { traceId, spanId }: SpanContext,
    value: number,
    { isError, weight }: Offer,
    timestampSeconds: number = Date.now() / 1000,
  ): void {
    let index = 0;
    while (index < this.#bounds.length && value > this.#bounds[index]!) index += 1;
    const kept = this.#slots[index];
    const tellsMore =
      kept === undefined ||
      timestampSeconds - kept.timestampSeconds > keptSeconds ||
      (isError === kept.isError ? weight >= kept.weight : isError);
    if (tellsMore) this.#slots[index] = { traceId, spanId, value, timestampSeconds, isError, weight };
  }

  /** By bucket. */
  all(): readonly (Exemplar | undefined)[] {
    return this.#slots;
  }
}

/**
 * The exemplars of this process, beside what is measured: the SDK has none. Only there while traces are on, and fed by
 * measurements of sampled traces only, so that without traces nothing of this is reached.
 */
export class Exemplars {
  readonly #latencyBounds: readonly number[];
  readonly #ofMetric = new Map<
    string,
    { readonly attributes: string[]; readonly series: Map<string, ExemplarSlots> }
  >();

  constructor(latencyBounds: readonly number[]) {
    this.#latencyBounds = latencyBounds;
  }

  /** The slots of a series; `attributes` are those that it is recorded with, so they are as many as series. */
  slotsOf(definition: MetricDefinition, attributes: Attributes): ExemplarSlots {
    let metric = this.#ofMetric.get(definition.name);
    if (metric === undefined) {
      metric = { attributes: Object.keys(definition.attributes), series: new Map() };
      this.#ofMetric.set(definition.name, metric);
    }
    const key = keyOf(metric.attributes, attributes);
    let slots = metric.series.get(key);
    if (slots === undefined) {
      slots = new ExemplarSlots(boundsOf(definition, this.#latencyBounds));
      metric.series.set(key, slots);
    }
    return slots;
  }

  /** What the exposition shows at a series; undefined where nothing was offered. */
  find(metricName: string, attributes: Attributes): readonly (Exemplar | undefined)[] | undefined {
    const metric = this.#ofMetric.get(metricName);
    return metric?.series.get(keyOf(metric.attributes, attributes))?.all();
  }
}

function keyOf(names: readonly string[], attributes: Attributes): string {
  return JSON.stringify(names.map((name) => attributes[name]));
}

let current: Exemplars | undefined;

/** Where exemplars of this process go; undefined while there are no traces. */
export function exemplars(): Exemplars | undefined {
  return current;
}

/** Set by the start of traces, and by tests. */
export function useExemplars(store: Exemplars | undefined): void {
  current = store;
}

const isSampled = (context: SpanContext): boolean => (context.traceFlags & TraceFlags.SAMPLED) !== 0;

/** The span that is active now, if its trace is kept. */
export function activeSampledSpan(): SpanContext | undefined {
  const context = trace.getActiveSpan()?.spanContext();
  return context !== undefined && isSampled(context) ? context : undefined;
}

const spanKey = Symbol("mlops-backend.span");
interface Traced {
  [spanKey]?: SpanContext;
}

/** Remembers a request's span: when the request is measured, at its close, its context is no longer the active one. */
export function rememberSpan(request: object, context: SpanContext): void {
  if (isSampled(context)) (request as Traced)[spanKey] = context;
}

/** What was remembered; undefined for a request that is not sampled, and while there are no traces. */
export function rememberedSpan(request: object): SpanContext | undefined {
  return current === undefined ? undefined : (request as Traced)[spanKey];
}
