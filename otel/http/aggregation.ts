import type { HrTime } from "@opentelemetry/api";
import { ValueType } from "@opentelemetry/api";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from "@opentelemetry/sdk-metrics";
import { allowedAttributes, attributeSetLimit } from "../api/catalogue/attribute-sets.ts";
import { catalogue } from "../api/catalogue/catalogue.ts";
import { httpMethods, httpOutcomes, urlSchemes } from "../api/catalogue/http.ts";
import { boundsOf, type MetricDefinition, overflowAttribute } from "../api/catalogue/metric-definition.ts";
import { type ExemplarSlots, exemplars } from "../api/exemplars.ts";
import { type EndedRequest, errorTypeOf, type HttpRecorder, outcomeOf, statusAttribute } from "../api/http-recorder.ts";

type Attributes = Readonly<Record<string, string | boolean>>;

/** One label set of a histogram, counted in place. */
interface Cell {
  readonly attributes: Attributes;
  readonly startTime: HrTime;
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum: number;
  count: number;
  /** Found once, with the first sampled request. */
  exemplars?: ExemplarSlots;
}

/** One label set of a counter. */
interface Counter {
  readonly attributes: Attributes;
  readonly startTime: HrTime;
  value: number;
  exemplars?: ExemplarSlots;
}

function observe(cell: Cell, value: number): void {
  const { bounds } = cell;
  let index = 0;
  while (index < bounds.length && value > bounds[index]!) index += 1;
  cell.counts[index]! += 1;
  cell.sum += value;
  cell.count += 1;
}

/** Offers a sampled request as the exemplar of one of its series. */
function offer(definition: MetricDefinition, kept: Cell | Counter, request: EndedRequest, value: number): void {
  const store = exemplars();
  if (store === undefined || request.span === undefined) return;
  kept.exemplars ??= store.slotsOf(definition, kept.attributes);
  kept.exemplars.offer(request.span, value, {
    isError: outcomeOf(request) === "server_error",
    weight: request.durationSeconds,
  });
}

/** The label sets of one metric, up to its series limit; the same rules as otel/api/instruments.ts for the SDK. */
class LabelSets<Kept extends { readonly attributes: Attributes }> {
  readonly sets = new Map<string, Kept>();
  readonly #definition: MetricDefinition;
  readonly #make: (attributes: Attributes) => Kept;
  #overflow: Kept | undefined;

  constructor(definition: MetricDefinition, make: (attributes: Attributes) => Kept) {
    this.#definition = definition;
    this.#make = make;
  }

  get(given: Readonly<Record<string, string>>): Kept {
    const attributes = allowedAttributes(this.#definition, given);
    const key = JSON.stringify(Object.values(attributes));
    let kept = this.sets.get(key);
    if (kept !== undefined) return kept;
    if (this.sets.size >= attributeSetLimit(this.#definition) - 1) {
      this.#overflow ??= this.#make({ [overflowAttribute]: true });
      return this.#overflow;
    }
    kept = this.#make(attributes);
    this.sets.set(key, kept);
    return kept;
  }

  all(): Kept[] {
    return this.#overflow === undefined ? [...this.sets.values()] : [...this.sets.values(), this.#overflow];
  }
}

/** What is known of a route: found by numbers, so that a request costs no string and no object. */
interface RouteCells {
  readonly route: string;
  /** By outcome. */
  readonly outcomes: Counter[];
  /** By method and scheme. */
  readonly requestSizes: Cell[];
  readonly responseSizes: Cell[];
  /** By method, scheme, status and fault. */
  readonly durations: Map<number, Cell>;
}

const otherMethod = httpMethods.indexOf("_OTHER");
const methodNumbers = new Map<string, number>(httpMethods.map((method, index) => [method, index]));
const outcomeNumbers: Readonly<Record<string, number>> = Object.fromEntries(
  httpOutcomes.map((outcome, index) => [outcome, index]),
);
const faultNumbers = { client_closed: 1, timeout: 2, parse_error: 3, other: 4 } as const;
/** More routes than any limit has room for: beyond, all have the overflow's cells. */
const mostRoutes = 1_000;

/**
 * Counts HTTP requests in plain arrays, and shows them as the SDK would: the same events give the same exposition (a
 * test holds the two together). The SDK hashes an attribute object for each of four instruments, which was most of
 * what measuring cost (docs/performance.md).
 */
export class HttpAggregation implements HttpRecorder {
  readonly #routes = new Map<string, RouteCells>();
  #beyond: RouteCells | undefined;
  readonly #durations: LabelSets<Cell>;
  readonly #requestSizes: LabelSets<Cell>;
  readonly #responseSizes: LabelSets<Cell>;
  readonly #requests: LabelSets<Counter>;
  readonly #activeSets: LabelSets<Counter>;
  /** By method and scheme. */
  readonly #active: Counter[] = [];

  constructor(latencyBounds: readonly number[]) {
    const cells = (definition: MetricDefinition): LabelSets<Cell> => {
      const bounds = [...boundsOf(definition, latencyBounds)];
      return new LabelSets(definition, (attributes) => ({
        attributes,
        startTime: hrTime(),
        bounds,
        counts: new Array<number>(bounds.length + 1).fill(0),
        sum: 0,
        count: 0,
      }));
    };
    const counters = (definition: MetricDefinition): LabelSets<Counter> =>
      new LabelSets(definition, (attributes) => ({ attributes, startTime: hrTime(), value: 0 }));
    this.#durations = cells(catalogue.httpRequestDuration);
    this.#requestSizes = cells(catalogue.httpRequestBodySize);
    this.#responseSizes = cells(catalogue.httpResponseBodySize);
    this.#requests = counters(catalogue.httpRequests);
    this.#activeSets = counters(catalogue.httpActiveRequests);
  }

  #cellsOf(route: string): RouteCells {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    if (this.#routes.size >= mostRoutes && this.#beyond !== undefined) return this.#beyond;
    const cells = { route, outcomes: [], requestSizes: [], responseSizes: [], durations: new Map() };
    if (this.#routes.size >= mostRoutes) this.#beyond = cells;
    else this.#routes.set(route, cells);
    return cells;
  }

  ended(request: EndedRequest): void {
    const { route, durationSeconds, requestBytes, responseBytes } = request;
    const cells = this.#cellsOf(route);
    const method = methodNumbers.get(request.method) ?? otherMethod;
    const pair = method * 2 + (request.scheme === "https" ? 1 : 0);
    const outcome = outcomeNumbers[outcomeOf(request)]!;

    // What is no duration (a clock that went wrong) would spoil the sum for ever.
    const duration =
      durationSeconds >= 0 && durationSeconds < Number.POSITIVE_INFINITY
        ? this.#durationOf(cells, pair, request)
        : undefined;
    if (duration !== undefined) observe(duration, durationSeconds);

    let requestSize = cells.requestSizes[pair];
    let responseSize = cells.responseSizes[pair];
    if (requestSize === undefined || responseSize === undefined) {
      const attributes = { ...this.#pairAttributes(pair), "http.route": route };
      requestSize = cells.requestSizes[pair] = this.#requestSizes.get(attributes);
      responseSize = cells.responseSizes[pair] = this.#responseSizes.get(attributes);
    }
    if (requestBytes >= 0) observe(requestSize, requestBytes);
    if (responseBytes >= 0) observe(responseSize, responseBytes);

    const requests = this.#counterOf(cells, outcome);
    requests.value += 1;
    if (request.span === undefined) return;
    if (duration !== undefined) offer(catalogue.httpRequestDuration, duration, request, durationSeconds);
    if (requestBytes >= 0) offer(catalogue.httpRequestBodySize, requestSize, request, requestBytes);
    if (responseBytes >= 0) offer(catalogue.httpResponseBodySize, responseSize, request, responseBytes);
    offer(catalogue.httpRequests, requests, request, 1);
  }

  active(change: 1 | -1, method: string | undefined, scheme: "http" | "https"): void {
    const pair = (methodNumbers.get(method ?? "") ?? otherMethod) * 2 + (scheme === "https" ? 1 : 0);
    let counter = this.#active[pair];
    if (counter === undefined) counter = this.#active[pair] = this.#activeSets.get(this.#pairAttributes(pair));
    counter.value += change;
  }

  declare(routes: readonly string[]): void {
    for (const route of routes) {
      for (const outcome of httpOutcomes.keys()) this.#counterOf(this.#cellsOf(route), outcome);
    }
  }

  /** The label sets so far, as a metric reader would hand them out. */
  collect(): MetricData[] {
    const endTime = hrTime();
    const histogram = (definition: MetricDefinition, sets: LabelSets<Cell>): MetricData => ({
      descriptor: descriptorOf(definition),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: sets.all().map(
        ({ attributes, startTime, bounds, counts, sum, count }): DataPoint<Histogram> => ({
          attributes,
          startTime,
          endTime,
          value: { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count },
        }),
      ),
    });
    const sum = (definition: MetricDefinition, sets: LabelSets<Counter>): MetricData => ({
      descriptor: descriptorOf(definition),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.SUM,
      isMonotonic: definition.kind === "counter",
      dataPoints: sets.all().map(({ attributes, startTime, value }) => ({ attributes, startTime, endTime, value })),
    });
    return [
      histogram(catalogue.httpRequestDuration, this.#durations),
      histogram(catalogue.httpRequestBodySize, this.#requestSizes),
      histogram(catalogue.httpResponseBodySize, this.#responseSizes),
      sum(catalogue.httpActiveRequests, this.#activeSets),
      sum(catalogue.httpRequests, this.#requests),
    ];
  }

  #pairAttributes(pair: number): { "http.request.method": string; "url.scheme": string } {
    return { "http.request.method": httpMethods[pair >> 1]!, "url.scheme": urlSchemes[pair & 1]! };
  }

  #durationOf(cells: RouteCells, pair: number, request: EndedRequest): Cell {
    const { statusCode, fault } = request;
    const key = (pair * 1_000 + statusCode) * 5 + (fault === undefined ? 0 : faultNumbers[fault]);
    let duration = cells.durations.get(key);
    if (duration === undefined) {
      duration = this.#durations.get({
        ...this.#pairAttributes(pair),
        "http.route": request.route,
        "http.response.status_code": statusAttribute(statusCode),
        "error.type": errorTypeOf(request),
      });
      cells.durations.set(key, duration);
    }
    return duration;
  }

  #counterOf(cells: RouteCells, outcome: number): Counter {
    let counter = cells.outcomes[outcome];
    if (counter === undefined) {
      counter = this.#requests.get({ "http.route": cells.route, outcome: httpOutcomes[outcome]! });
      cells.outcomes[outcome] = counter;
    }
    return counter;
  }
}

function descriptorOf({ name, unit, description }: MetricDefinition): MetricData["descriptor"] {
  return { name, unit, description, valueType: ValueType.DOUBLE };
}

function hrTime(): HrTime {
  const nowMs = Date.now();
  return [Math.floor(nowMs / 1_000), (nowMs % 1_000) * 1_000_000];
}
