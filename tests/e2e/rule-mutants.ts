// The lexical places of an expression that a mistake could be made in, each broken in turn.
import { durationSeconds, type PromqlNode, parsePromql } from "../../infra/monitoring/promql-tree.ts";

/** A rule as it stands in a generated file. */
export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A broken rule, and what was broken. */
export interface Mutant {
  readonly what: string;
  readonly rule: Rule;
}

const reversed: Readonly<Record<string, string>> = {
  ">": "<=",
  "<": ">=",
  ">=": "<",
  "==": "!=",
  "=": "!=",
  "!=": "=",
  "=~": "!~",
  "!~": "=~",
};

const scaled = (duration: string, factor: number): string => `${(durationSeconds(duration) ?? 0) * factor * 1000}ms`;

interface Edit {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Every way in which one place of an expression is broken. */
function edits(expr: string): Edit[] {
  const tree = parsePromql(expr);
  if (tree === undefined) throw new Error(`not PromQL: ${expr}`);
  const found: Edit[] = [];
  const textOf = ({ from, to }: { from: number; to: number }): string => expr.slice(from, to);
  const replace = (what: string, { from, to }: { from: number; to: number }, text: string): void => {
    found.push({ what: `${what} at ${from}: ${expr.slice(from, to)} → ${text}`, from, to, text });
  };
  tree.cursor().iterate((reference) => {
    const node: PromqlNode = reference.node;
    const text = textOf(node);
    switch (node.name) {
      case "NumberDurationLiteral": {
        const value = Number(text);
        if (Number.isNaN(value)) break; // a range, which its own place stands for
        for (const other of value === 0 ? [2, -2] : [value * 2, value / 2]) replace("number", node, String(other));
        break;
      }
      case "NumberDurationLiteralInDurationContext":
        for (const factor of [2, 0.5]) replace("range", node, scaled(text, factor));
        break;
      case "Gtr":
      case "Lss":
      case "Gte":
      case "Eql":
        replace("comparison", node, reversed[text] ?? text);
        break;
      case "MatchOp":
        replace("matcher", node, reversed[text] ?? text);
        break;
      case "Max":
        replace("aggregation", node, "sum");
        break;
      case "Sum":
        replace("aggregation", node, "max");
        break;
      case "Min":
        replace("aggregation", node, "max");
        break;
      case "BinaryExpr": {
        const operator = node.getChild("And") ?? node.getChild("Unless");
        if (operator !== null) replace("condition left out", { from: operator.from, to: node.to }, "");
        break;
      }
    }
  });
  return found;
}

/** The rule with one thing after the other broken: numbers, comparisons, matchers, conditions, labels, times. */
export function mutantsOf(rule: Rule): Mutant[] {
  const { alert, for: hold, keep_firing_for: keep, labels = {} } = rule;
  const ofExpression = edits(rule.expr).map(({ what, from, to, text }) => ({
    what,
    rule: { ...rule, expr: `${rule.expr.slice(0, from)}${text}${rule.expr.slice(to)}` },
  }));
  const ofLabels = Object.entries(labels).map(([label, value]) => ({
    what: `label ${label}`,
    rule: { ...rule, labels: { ...labels, [label]: `not-${value}` } },
  }));
  if (alert === undefined) return [...ofExpression, ...ofLabels];
  const times = [
    ["for", hold],
    ["keep_firing_for", keep],
  ] as const;
  const ofTimes = times.flatMap(([name, value]): Mutant[] => {
    if (value === undefined) return [{ what: `${name}: none → 10m`, rule: { ...rule, [name]: "10m" } }];
    const { [name]: _gone, ...without } = rule;
    return [
      { what: `${name}: ${value} → none`, rule: without },
      { what: `${name}: ${value} → twice`, rule: { ...rule, [name]: scaled(value, 2) } },
    ];
  });
  return [...ofExpression, ...ofLabels, ...ofTimes];
}
