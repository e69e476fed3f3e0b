import { metricDefinitions } from "../../otel/api/catalogue/catalogue.ts";
import { prometheusName } from "../../otel/api/catalogue/metric-names.ts";
import { childrenOf, operandsOf, type PromqlNode, parsePromql } from "./queries/promql-tree.ts";

/** Grafana's durations and its step, which the parser doesn't know, and what stands for them meanwhile. */
const placeholders = [
  ["$__rate_interval", "11m11s"],
  ["$__range", "13m13s"],
  ["$__interval_ms", "15013"],
] as const;

/** A histogram within `rate` or `increase`. */
interface Growth {
  readonly part: "bucket" | "count" | "sum";
  /** The same of the native histogram. */
  readonly text: string;
  /** The bound of the one bucket that is asked for. */
  readonly bound: string | undefined;
}

/** The histograms of the catalogue, by their names under this prefix. */
export function histogramNames(prefix: string): ReadonlySet<string> {
  const histograms = metricDefinitions.filter(([, { kind }]) => kind === "histogram");
  return new Set(histograms.map(([, definition]) => prometheusName(definition, prefix)));
}

/**
 * The same query for a Prometheus that keeps our histograms as native ones (`convert_classic_histograms_to_nhcb`): one
 * series in place of one for each bucket, `_sum` and `_count`. What asks for no histogram stays as it is.
 * @param histograms their names, without `_bucket`
 * @throws Error for a use of a bucket that has no native form, e.g. without `rate` or `increase`
 */
export function nativeQuery(query: string, histograms: ReadonlySet<string>): string {
  const source = placeholders.reduce((text, [name, duration]) => text.replaceAll(name, duration), query);
  const textOf = (node: PromqlNode): string => source.slice(node.from, node.to);

  function partOf(
    selector: PromqlNode,
  ): { base: string; part: Growth["part"]; labels: string; bound?: string } | undefined {
    const [, base = "", part] =
      /^(.*)_(bucket|count|sum)$/.exec(textOf(selector.getChild("Identifier") ?? selector)) ?? [];
    if (!histograms.has(base)) return undefined;
    const matchers = childrenOf(selector.getChild("LabelMatchers") ?? selector)
      .filter(({ name }) => name.endsWith("LabelMatcher"))
      .map(textOf);
    const bound = matchers.map((text) => /^le\s*=\s*"(.*)"$/.exec(text)?.[1]).find((text) => text !== undefined);
    const labels = `{${matchers.filter((text) => !/^le\s*[=!]/.test(text)).join(",")}}`;
    return { base, part: part as Growth["part"], labels, ...(bound === undefined ? {} : { bound }) };
  }

  function growthOf(node: PromqlNode | undefined): Growth | undefined {
    const apply = node?.name === "FunctionCall" ? textOf(node.getChild("FunctionIdentifier") ?? node) : "";
    if (node === undefined || !/^(rate|increase)$/.test(apply)) return undefined;
    const range = operandsOf(node.getChild("FunctionCallBody") ?? node)[0];
    const selector = range?.name === "MatrixSelector" ? range.getChild("VectorSelector") : null;
    const found = selector == null ? undefined : partOf(selector);
    if (range === undefined || found === undefined) return undefined;
    const duration = textOf(range.getChild("DurationExpr") ?? range);
    return { part: found.part, text: `${apply}(${found.base}${found.labels}[${duration}])`, bound: found.bound };
  }

  function part({ part, bound }: Growth, histogram: string): string {
    if (part === "count" || part === "sum") return `histogram_${part}(${histogram})`;
    if (bound === undefined) return histogram;
    // The share of nothing is NaN, which no sum survives; compared it is absent.
    return `(histogram_fraction(0, ${bound}, ${histogram}) * histogram_count(${histogram}) >= 0)`;
  }

  function aggregation(node: PromqlNode): string | undefined {
    const operands = operandsOf(node.getChild("FunctionCallBody") ?? node);
    const growth = operands.length === 1 ? growthOf(operands[0]) : undefined;
    if (growth === undefined || textOf(node.getChild("AggregateOp") ?? node) !== "sum") return undefined;
    const modifier = node.getChild("AggregateModifier");
    const grouping = childrenOf(modifier?.getChild("GroupingLabels") ?? node.getChild("AggregateOp") ?? node);
    const labels = modifier === null ? [] : grouping.map(textOf).filter((label) => label !== "le");
    const word = modifier?.getChild("Without") == null ? "by" : "without";
    const grouped =
      modifier === null || (word === "by" && labels.length === 0) ? "" : ` ${word} (${labels.join(", ")})`;
    return part(growth, `sum${grouped} (${growth.text})`);
  }

  function rewritten(node: PromqlNode): string {
    const sum = node.name === "AggregateExpr" ? aggregation(node) : undefined;
    if (sum !== undefined) return sum;
    const growth = growthOf(node);
    if (growth !== undefined) return part(growth, growth.text);
    const selector = node.name === "VectorSelector" ? partOf(node) : undefined;
    if (selector?.part === "bucket") throw new Error(`${textOf(node)} has no native form outside of rate and increase`);
    if (selector !== undefined) return `histogram_${selector.part}(${selector.base}${selector.labels})`;
    let text = "";
    let from = node.from;
    for (const child of childrenOf(node)) {
      text += source.slice(from, child.from) + rewritten(child);
      from = child.to;
    }
    return text + source.slice(from, node.to);
  }

  const whole = parsePromql(source);
  if (whole === undefined) throw new Error(`not PromQL: ${query}`);
  return placeholders.reduce((text, [name, duration]) => text.replaceAll(duration, name), rewritten(whole));
}

/** Loki's queries are called `expr` as well. */
const asksLoki = (part: object): boolean =>
  "datasource" in part && JSON.stringify(part.datasource).includes('"type":"loki"');

/** A copy of a generated document in which every `expr` of Prometheus is changed. */
export function withExpressions(document: unknown, change: (expression: string) => string): unknown {
  if (Array.isArray(document)) return document.map((each) => withExpressions(each, change));
  if (typeof document !== "object" || document === null || asksLoki(document)) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [
      key,
      key === "expr" && typeof value === "string" ? change(value) : withExpressions(value, change),
    ]),
  );
}
