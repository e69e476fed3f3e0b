import { type AttributeLimits, type BatchSettings, oneOf, readLimits, readOtlpSettings } from "./otlp-settings.ts";

/** The libraries whose official instrumentations make spans, by the names that OTEL_NODE_*_INSTRUMENTATIONS know. */
export const tracedLibraries = ["http", "express", "pg", "undici", "pino"] as const;
export type TracedLibrary = (typeof tracedLibraries)[number];

const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** The ways in which a trace goes from one service to another, by the names that OTEL_PROPAGATORS knows. */
export const propagators = ["tracecontext", "baggage", "b3", "b3multi"] as const;
export type PropagatorName = (typeof propagators)[number];

/** Further limits of a span. */
export interface SpanLimits extends AttributeLimits {
  readonly eventCountLimit?: number;
  readonly linkCountLimit?: number;
  readonly attributePerEventCountLimit?: number;
  readonly attributePerLinkCountLimit?: number;
}

/** How spans are made and where they go. */
export interface TraceSettings extends BatchSettings {
  readonly limits: SpanLimits;
  /** Empty: a trace begins and ends here. */
  readonly propagators: readonly PropagatorName[];
  readonly sampler: (typeof samplers)[number];
  /** Share of traces that begin here and are kept, 0 to 1. */
  readonly samplingRatio: number;
  readonly libraries: readonly TracedLibrary[];
}

function ratio(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new Error("must be a number from 0 to 1");
  return value;
}

const names = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** Names of others are no fault, as of libraries: they are named at the start. */
function propagatorsOf(env: NodeJS.ProcessEnv): readonly PropagatorName[] {
  const wanted = names(env.OTEL_PROPAGATORS);
  if (wanted.length === 0) return ["tracecontext", "baggage"];
  return wanted.includes("none") ? [] : propagators.filter((name) => wanted.includes(name));
}

/** The names of other libraries are no fault: the variables may be set for a whole cluster. */
function librariesOf(env: NodeJS.ProcessEnv): TracedLibrary[] {
  const enabled = names(env.OTEL_NODE_ENABLED_INSTRUMENTATIONS);
  const disabled = names(env.OTEL_NODE_DISABLED_INSTRUMENTATIONS);
  return tracedLibraries.filter(
    (library) => (enabled.length === 0 || enabled.includes(library)) && !disabled.includes(library),
  );
}

/** Reads what traces take from the environment; `traces` is undefined without an OTLP endpoint for them. */
export function readTraceSettings(env: NodeJS.ProcessEnv): { traces: TraceSettings | undefined; faults: string[] } {
  const { settings, faults, read } = readOtlpSettings(env, "traces");
  if (settings === undefined) return { traces: undefined, faults };
  const traces: TraceSettings = {
    ...settings,
    // Not the specification's parentbased_always_on: whoever sets the ratio alone means it.
    sampler: read("OTEL_TRACES_SAMPLER", oneOf(samplers), "parentbased_traceidratio"),
    samplingRatio: read("OTEL_TRACES_SAMPLER_ARG", ratio, 1),
    libraries: librariesOf(env),
    propagators: propagatorsOf(env),
    limits: {
      ...settings.limits,
      ...readLimits(read, {
        eventCountLimit: ["OTEL_SPAN_EVENT_COUNT_LIMIT"],
        linkCountLimit: ["OTEL_SPAN_LINK_COUNT_LIMIT"],
        attributePerEventCountLimit: ["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"],
        attributePerLinkCountLimit: ["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"],
      }),
    },
  };
  return { traces, faults };
}
