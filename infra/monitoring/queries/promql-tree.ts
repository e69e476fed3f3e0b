import { parser } from "@prometheus-io/lezer-promql";

/** A node of a parsed query, in whatever language; its `name` is that of the language's grammar. */
export type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];
export type PromqlNode = SyntaxNode;

const expressions = new Set([
  "AggregateExpr",
  "AnchoredExpr",
  "BinaryExpr",
  "FunctionCall",
  "MatrixSelector",
  "NumberDurationLiteral",
  "OffsetExpr",
  "ParenExpr",
  "SmoothedExpr",
  "StepInvariantExpr",
  "StringLiteral",
  "SubqueryExpr",
  "UnaryExpr",
  "VectorSelector",
]);
const secondsOf: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The seconds of a range such as `5m`, `1h30m` or `300`; undefined for what has to be computed. */
export function durationSeconds(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+(ms|[smhdwy]))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+)(ms|[smhdwy])/g);
  return [...parts].reduce((sum, [, count, unit = ""]) => sum + Number(count) * (secondsOf[unit] ?? 31_536_000), 0);
}

export function childrenOf(node: PromqlNode): PromqlNode[] {
  const children: PromqlNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

/** The expressions directly inside of a node, without operators, modifiers and names. */
export const operandsOf = (node: PromqlNode): PromqlNode[] =>
  childrenOf(node).filter(({ name }) => expressions.has(name));

/** The query as a tree; undefined when it can't be parsed as a whole. */
export function parsePromql(query: string): PromqlNode | undefined {
  const { topNode } = parser.parse(query);
  let isWhole = topNode.firstChild !== null;
  topNode.cursor().iterate(({ type }) => {
    if (type.isError) isWhole = false;
  });
  return isWhole ? topNode : undefined;
}
