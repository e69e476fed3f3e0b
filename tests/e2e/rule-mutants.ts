// The lexical places of an expression that a mistake could be made in, each broken in turn.
import {
  childrenOf,
  durationSeconds,
  type PromqlNode,
  parsePromql,
} from "../../infra/monitoring/queries/promql-tree.ts";

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

/** What stands for a comparison by mistake: its opposite, and the one that takes the boundary for the other side. */
const comparisons: Readonly<Record<string, readonly string[]>> = {
  ">": ["<=", ">="],
  "<": [">=", "<="],
  ">=": ["<", ">"],
  "==": ["!=", ">=", "<="],
};
const matchers: Readonly<Record<string, string>> = { "=": "!=", "!=": "=", "=~": "!~", "!~": "=~" };
const arithmetic: Readonly<Record<string, string>> = { "+": "-", "-": "+", "*": "/", "/": "*" };
const aggregations: Readonly<Record<string, readonly string[]>> = {
  sum: ["max", "avg"],
  max: ["sum", "min"],
  min: ["max", "sum"],
  count: ["sum", "group"],
  group: ["sum", "count"],
};
/** `delta` and its like, which take a counter that begins anew for one that falls, are refused by the lint. */
const functions: Readonly<Record<string, readonly string[]>> = {
  rate: ["increase"],
  increase: ["rate"],
  changes: ["resets", "count_over_time"],
  deriv: ["delta"],
  avg_over_time: ["max_over_time", "last_over_time"],
  sum_over_time: ["max_over_time", "count_over_time"],
  count_over_time: ["sum_over_time", "present_over_time"],
  present_over_time: ["absent_over_time"],
  clamp_min: ["clamp_max"],
};
/** Those that no other could stand for, by the number or the time that they take. */
const alone = ["absent", "predict_linear", "time", "vector"];
/** A label that most series have, and that a list without it adds up over. */
const addedLabel = "instance";

const scaled = (duration: string, factor: number): string => `${(durationSeconds(duration) ?? 0) * factor * 1000}ms`;

/** @throws Error for a word that the table lacks: nothing is left unbroken in silence */
function brokenBy<Broken>(table: Readonly<Record<string, Broken>>, text: string): Broken {
  const broken = table[text];
  if (broken === undefined) throw new Error(`How is ${text} broken? rule-mutants.ts does not say.`);
  return broken;
}

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
        for (const other of value === 0 ? [1, -1] : [value * 2, value / 2]) replace("number", node, String(other));
        break;
      }
      case "NumberDurationLiteralInDurationContext":
        for (const factor of [2, 0.5]) replace("range", node, scaled(text, factor));
        break;
      case "Gtr":
      case "Lss":
      case "Gte":
      case "Eql":
        for (const other of brokenBy(comparisons, text)) replace("comparison", node, other);
        break;
      case "BoolModifier":
        replace("comparison", node, "");
        break;
      case "MatchOp":
        replace("matcher", node, brokenBy(matchers, text));
        break;
      case "Add":
      case "Sub":
      case "Mul":
      case "Div":
        replace("arithmetic", node, brokenBy(arithmetic, text));
        break;
      case "AggregateOp":
        for (const other of brokenBy(aggregations, text)) replace("aggregation", node, other);
        break;
      case "FunctionIdentifier":
        if (!alone.includes(text)) for (const other of brokenBy(functions, text)) replace("function", node, other);
        break;
      case "GroupingLabels": {
        const names = childrenOf(node)
          .filter(({ name }) => name === "LabelName")
          .map(textOf);
        const lists = names.map((name) => names.filter((other) => other !== name));
        const isWhatIsLeft = ["By", "On"].includes(node.prevSibling?.name ?? "");
        if (isWhatIsLeft && !names.includes(addedLabel)) lists.push([...names, addedLabel]);
        for (const list of lists) replace("labels", node, `(${list.join(", ")})`);
        break;
      }
      case "BinaryExpr": {
        const operator = node.getChild("And") ?? node.getChild("Unless");
        if (operator === null) break;
        replace("condition left out", { from: operator.from, to: node.to }, "");
        replace("condition", operator, textOf(operator) === "and" ? "unless" : "and");
        break;
      }
    }
  });
  return found;
}

/** The rule with one thing after the other broken: each place of its expression, its labels, its times. */
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
