import type { Attributes, BatchObservableCallback, BatchObservableResult, Observable } from "@opentelemetry/api";
import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { catalogue } from "./catalogue/catalogue.ts";
import type { MetricDefinition } from "./catalogue/metric-definition.ts";
import { meter } from "./instruments.ts";

/** The metrics that are read at a scrape. */
export type GaugeKey = {
  [Key in keyof typeof catalogue]: (typeof catalogue)[Key]["kind"] extends "gauge" ? Key : never;
}[keyof typeof catalogue];

/** Label sets that the last round of callbacks observed, by the metric's name. */
const observed = new Map<string, Set<string>>();
const definitions = new WeakMap<Observable, MetricDefinition>();

const setOf = ({ attributes }: MetricDefinition, given: Attributes): string =>
  JSON.stringify(Object.keys(attributes).map((name) => given[name]));

/** A gauge of the catalogue, to be observed by `observeEachRound`. */
export function observedGauge(key: GaugeKey): Observable {
  const { name, unit, description } = catalogue[key];
  const gauge = meter().createObservableGauge(name, { unit, description });
  definitions.set(gauge, catalogue[key]);
  return gauge;
}

/**
 * Reads gauges at each collection. The SDK goes on showing the last value of what is not observed any more (seen with
 * sdk-metrics 3.1.1), so it is noted what was: a figure that can't be read now must be absent.
 * @returns what ends it
 */
export function observeEachRound(callback: BatchObservableCallback, observables: Observable[]): () => void {
  const owner = meter();
  const forget = (): void => {
    for (const observable of observables) {
      const definition = definitions.get(observable);
      if (definition !== undefined) observed.set(definition.name, new Set());
    }
  };
  const noting = (result: BatchObservableResult): void | Promise<void> => {
    forget();
    return callback({
      observe(observable, value, attributes = {}) {
        const definition = definitions.get(observable);
        if (definition !== undefined) observed.get(definition.name)?.add(setOf(definition, attributes));
        result.observe(observable, value, attributes);
      },
    });
  };
  owner.addBatchObservableCallback(noting, observables);
  return () => {
    owner.removeBatchObservableCallback(noting, observables);
    forget();
  };
}

const definitionsByName = new Map<string, MetricDefinition>(
  Object.values(catalogue).map((definition) => [definition.name, definition]),
);

/** Leaves out the points of gauges that the last round did not observe. */
export function onlyObserved(collected: ResourceMetrics): ResourceMetrics {
  const scopeMetrics = collected.scopeMetrics.map(({ scope, metrics: ofScope }) => ({
    scope,
    metrics: ofScope.map((metric) => {
      const seen = observed.get(metric.descriptor.name);
      const definition = definitionsByName.get(metric.descriptor.name);
      if (seen === undefined || definition === undefined) return metric;
      const isSeen = ({ attributes }: { attributes: Attributes }): boolean => seen.has(setOf(definition, attributes));
      return {
        ...metric,
        dataPoints: (metric.dataPoints as { attributes: Attributes }[]).filter(isSeen),
      } as typeof metric;
    }),
  }));
  return { ...collected, scopeMetrics };
}
