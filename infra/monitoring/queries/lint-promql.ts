/**
 * Finds in a query what Prometheus accepts and answers with nothing or with a wrong figure. It walks the parsed query
 * from the outside in, telling each part how its value is used, and comes back with the labels that are left.
 */
import { childrenOf, durationSeconds, operandsOf, type PromqlNode, parsePromql } from "./promql-tree.ts";

/** What a query may assume of the series of one name. */
export interface KnownSeries {
  /** `buckets` are the counters of a histogram with `le`. */
  readonly kind: "counter" | "gauge" | "buckets";
  /** Its labels, and their values where they are a closed set; `job` and `instance` come with the scrape. */
  readonly labels: ReadonlyMap<string, readonly string[] | undefined>;
  /** The same on every replica: to be taken by `max without (instance)`. */
  readonly isOfDeployment?: boolean;
  /** Made by a rule that leaves `instance` out. */
  readonly aggregated?: boolean;
}

/**
 * How an expression is used: its value, whether it is there at all, the growth of its counters, or a difference: of two
 * extremes of one counter it is growth, too.
 */
type Use = "value" | "presence" | "growth" | "difference" | "extreme";

interface Shape {
  readonly isScalar?: boolean;
  /** Undefined when they can't be known, e.g. since the metric isn't. */
  readonly labels?: ReadonlySet<string>;
  /** Buckets of a histogram that are still told apart by `le`. */
  readonly hasBuckets?: boolean;
}

interface Place {
  readonly use: Use;
  /** The next aggregation around it is `max without (instance)`. */
  readonly isMaxed: boolean;
}

const ofGrowth = new Set(["rate", "increase", "irate", "resets"]);
const ofPresence = new Set([
  "absent",
  "absent_over_time",
  "changes",
  "count",
  "count_over_time",
  "group",
  "present_over_time",
  "timestamp",
]);
const extremes = new Set(["max_over_time", "min_over_time"]);
const keepsSeries = new Set(["topk", "bottomk", "limitk", "limit_ratio"]);
const onTarget = ["job", "instance"];

/** Four scrapes of 15 s, so that a rate outlives one that is missed: Grafana's rule for $__rate_interval. */
export const shortestRangeSeconds = 60;

/**
 * The faults of one query, in words; none when it is sound. Grafana's `$__rate_interval` and `$__range` are durations
 * (the data source's interval makes the first at least four scrapes), `$__interval_ms` is a number, other variables may stand in matchers.
 * @param known what the query may ask for, from `knownSeries`
 */
export function lintPromql(query: string, known: ReadonlyMap<string, KnownSeries>): string[] {
  const source = query
    .replaceAll("$__rate_interval", "1m")
    .replaceAll("$__range", "1h")
    .replaceAll("$__interval_ms", "60000");
  const faults = new Set<string>();
  const textOf = (node: PromqlNode): string => source.slice(node.from, node.to);
  const stringOf = (node: PromqlNode): string => textOf(node).slice(1, -1);
  const labelsIn = (node: PromqlNode | null): string[] =>
    node === null ? [] : childrenOf(node).map((label) => textOf(label).replace(/^["']|["']$/g, ""));

  function expectLabels(labels: readonly string[], shapes: readonly Shape[], where: string): void {
    for (const label of labels) {
      const isThere = shapes.some((shape) => shape.labels === undefined || shape.labels.has(label));
      if (!isThere) faults.add(`${where}: there is no label ${label}`);
    }
  }

  function checkMatcher(matcher: PromqlNode, name: string, series: KnownSeries): void {
    const label = labelsIn(matcher)[0] ?? "";
    const operator = textOf(matcher.getChild("MatchOp") ?? matcher);
    const value = stringOf(matcher.lastChild ?? matcher);
    const isTargets = onTarget.includes(label) && !(label === "instance" && series.aggregated === true);
    if (!series.labels.has(label) && !isTargets) {
      faults.add(`${name}: there is no label ${label}`);
      return;
    }
    const values = series.labels.get(label);
    // Whatever is compared with "" asks whether the label is there.
    if (values === undefined || value === "" || value.startsWith("$")) return;
    const isRegex = operator === "=~" || operator === "!~";
    const pattern = isRegex ? new RegExp(`^(?:${value})$`) : undefined;
    if (!values.some((one) => pattern?.test(one) ?? one === value))
      faults.add(`${name}: ${label} is never ${JSON.stringify(value)}`);
  }

  function visitSelector(node: PromqlNode, { use, isMaxed }: Place): Shape {
    const identifier = node.getChild("Identifier");
    if (identifier === null) {
      faults.add(`${textOf(node)}: a selector needs the name of a metric`);
      return {};
    }
    const name = textOf(identifier);
    const series = known.get(name);
    if (series === undefined) {
      faults.add(`${name}: unknown metric`);
      return {};
    }
    const matchers = childrenOf(node.getChild("LabelMatchers") ?? node).filter(({ name: kind }) =>
      kind.endsWith("LabelMatcher"),
    );
    for (const matcher of matchers) checkMatcher(matcher, name, series);
    if (use === "growth" && series.kind === "gauge") faults.add(`${name}: a gauge has no rate, increase or resets`);
    if ((use === "value" || use === "difference") && series.kind !== "gauge")
      faults.add(`${name}: a counter needs rate or increase`);
    if (series.isOfDeployment === true && !isMaxed && use !== "presence")
      faults.add(`${name}: the same on every replica, so take max without (instance)`);
    const isOneBucket = matchers.some((matcher) => /^le\s*=\s*["']/.test(textOf(matcher)));
    const labels = new Set([...series.labels.keys(), "job", ...(series.aggregated === true ? [] : ["instance"])]);
    return { labels, hasBuckets: series.kind === "buckets" && !isOneBucket };
  }

  function visitRange(node: PromqlNode, place: Place): Shape {
    const range = node.getChild("DurationExpr");
    const text = range === null ? "" : textOf(range);
    const seconds = durationSeconds(text);
    if (seconds === undefined) faults.add(`[${text}]: a range must be a plain duration`);
    else if (seconds < shortestRangeSeconds) faults.add(`[${text}]: shorter than four scrape intervals`);
    return visitAll(operandsOf(node), place);
  }

  function visitAggregation(node: PromqlNode, place: Place): Shape {
    const operator = textOf(node.getChild("AggregateOp") ?? node);
    const modifier = node.getChild("AggregateModifier");
    const isWithout = modifier?.getChild("Without") != null;
    const grouping = labelsIn(modifier?.getChild("GroupingLabels") ?? null);
    const body = operandsOf(node.getChild("FunctionCallBody") ?? node);
    const isMaxed = operator === "max" && isWithout && grouping.includes("instance");
    const inner = visitAll(body, { use: ofPresence.has(operator) ? "presence" : "value", isMaxed });
    if (place.use === "growth") faults.add(`${operator}: a rate must stand inside of an aggregation, not around it`);
    expectLabels(grouping, [inner], operator);
    if (inner.labels === undefined || keepsSeries.has(operator)) return inner;
    const labels = isWithout ? inner.labels.difference(new Set(grouping)) : new Set(grouping);
    if (inner.hasBuckets === true && !labels.has("le") && !ofPresence.has(operator))
      faults.add(`${operator}: adds the buckets of a histogram, each of which has the smaller ones in it; keep le`);
    const counted = operator === "count_values" && body[0] !== undefined ? [stringOf(body[0])] : [];
    return { labels: labels.union(new Set(counted)), hasBuckets: inner.hasBuckets === true && labels.has("le") };
  }

  function visitFunction(node: PromqlNode, place: Place): Shape {
    const name = textOf(node.getChild("FunctionIdentifier") ?? node);
    const body = operandsOf(node.getChild("FunctionCallBody") ?? node);
    const isExtreme = place.use === "difference" && extremes.has(name);
    const use = ofGrowth.has(name) ? "growth" : ofPresence.has(name) ? "presence" : isExtreme ? "extreme" : "value";
    if (place.use === "growth") faults.add(`${name}: a rate must be taken of the counter itself`);
    if (body.length === 0) return { isScalar: true };
    const inner = visitAll(body, { use, isMaxed: place.isMaxed });
    if (name === "scalar") return { isScalar: true };
    if (name === "vector") return { labels: new Set() };
    if (name === "absent" || name === "absent_over_time") return {};
    if (inner.labels === undefined) return inner;
    if (name === "label_replace" || name === "label_join")
      return { ...inner, labels: inner.labels.union(new Set(body[1] === undefined ? [] : [stringOf(body[1])])) };
    if (name !== "histogram_quantile" && name !== "histogram_fraction") return inner;
    if (inner.hasBuckets !== true) faults.add(`${name}: needs the buckets of a histogram, with le`);
    return { labels: inner.labels.difference(new Set(["le"])) };
  }

  function visitBinary(node: PromqlNode, place: Place): Shape {
    const [leftNode, rightNode] = operandsOf(node);
    if (leftNode === undefined || rightNode === undefined) return {};
    const isOr = node.getChild("Or") !== null;
    const isFilter = node.getChild("And") !== null || node.getChild("Unless") !== null;
    const isSetOperator = isOr || isFilter;
    if (place.use === "growth") faults.add("a rate must be taken of the counter itself, not of something computed");
    const ofOperands = node.getChild("Sub") === null ? "value" : "difference";
    const ofSide: Place = { ...place, use: isSetOperator && place.use === "presence" ? "presence" : ofOperands };
    const left = visit(leftNode, ofSide);
    const right = visit(rightNode, isFilter ? { ...ofSide, use: "presence" } : ofSide);
    if (left.isScalar === true) return right;
    if (right.isScalar === true) return left;
    if (left.labels === undefined || right.labels === undefined) return {};
    const hasBuckets = left.hasBuckets === true;

    const matching = node.getChild("MatchingModifierClause");
    const [matched = null, included = null] = matching?.getChildren("GroupingLabels") ?? [];
    const labels = labelsIn(matched);
    const extra = new Set(labelsIn(included));
    const isOn = matching?.getChild("On") != null;
    const what = source.slice(leftNode.to, rightNode.from).trim();
    for (const side of isOn ? [left, right] : []) expectLabels(labels, [side], what);
    if (!isOn) {
      expectLabels(labels, [left, right], what);
      const ignored = new Set(labels);
      const differ = left.labels.difference(ignored).symmetricDifference(right.labels.difference(ignored));
      const isGrouped = matching?.getChild("GroupLeft") != null || matching?.getChild("GroupRight") != null;
      if (!isOr && !isGrouped && differ.size > 0)
        faults.add(`${what}: nothing matches, only one side has ${[...differ].join(", ")}`);
    }
    if (isOr) return { labels: left.labels.union(right.labels), hasBuckets };
    if (isFilter) return left;
    if (matching?.getChild("GroupLeft") != null) {
      expectLabels([...extra], [right], what);
      return { labels: left.labels.union(extra), hasBuckets };
    }
    if (matching?.getChild("GroupRight") != null) {
      expectLabels([...extra], [left], what);
      return { labels: right.labels.union(extra), hasBuckets: right.hasBuckets === true };
    }
    if (isOn) return { labels: new Set(labels), hasBuckets: hasBuckets && labels.includes("le") };
    return { labels: left.labels.difference(new Set(labels)), hasBuckets };
  }

  /** Of several operands at most one is a vector. */
  function visitAll(nodes: readonly PromqlNode[], place: Place): Shape {
    return nodes.map((node) => visit(node, place)).find(({ isScalar }) => isScalar !== true) ?? { isScalar: true };
  }

  function visit(node: PromqlNode, place: Place): Shape {
    switch (node.name) {
      case "VectorSelector":
        return visitSelector(node, place);
      case "MatrixSelector":
      case "SubqueryExpr":
        return visitRange(node, place);
      case "AggregateExpr":
        return visitAggregation(node, place);
      case "FunctionCall":
        return visitFunction(node, place);
      case "BinaryExpr":
        return visitBinary(node, place);
      default:
        return visitAll(operandsOf(node), place);
    }
  }

  const whole = parsePromql(source);
  if (whole === undefined) return [`not PromQL: ${query}`];
  visit(whole, { use: "value", isMaxed: false });
  return [...faults];
}
