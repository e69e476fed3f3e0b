/**
 * Finds in a query of Loki what it accepts and answers with nothing: labels that are none, fields that no line has,
 * levels that do not exist. The line itself is the message alone, so there is nothing in it to be parsed.
 */
import { parser } from "@grafana/lezer-logql";
import type { SyntaxNode } from "./promql-tree.ts";

/** What a query may assume of the lines in Loki. */
export interface KnownLines {
  /** Labels of the index; a selector takes nothing else. */
  readonly labels: ReadonlySet<string>;
  /** What stands beside a line, by the names that Loki gives it. */
  readonly fields: ReadonlySet<string>;
}

/** As Loki's detected_level has them. */
const levels = ["trace", "debug", "info", "warn", "error", "fatal", "unknown"];
/** A line's message, for `line_format`. */
const ofTemplates = new Set(["__line__"]);

/** The faults of one query, in words; none when it is sound. Grafana's `$__auto` is a duration. */
export function lintLogql(query: string, { labels, fields }: KnownLines): string[] {
  const source = query.replaceAll("$__auto", "5m");
  const faults = new Set<string>();
  const textOf = (node: SyntaxNode | null): string => (node === null ? "" : source.slice(node.from, node.to));
  const hasLabelOrField = (name: string): boolean => labels.has(name) || fields.has(name);

  function checkMatcher(node: SyntaxNode): void {
    const name = textOf(node.getChild("Identifier"));
    const value = textOf(node.getChild("String")).slice(1, -1);
    if (node.parent?.name === "Matchers") {
      if (!labels.has(name)) faults.add(`{${name}}: no label of the index`);
    } else if (!hasLabelOrField(name)) faults.add(`${name}: no line has it`);
    if (name !== "detected_level" || value === "") return;
    for (const level of value.split("|")) if (!levels.includes(level)) faults.add(`detected_level is never ${level}`);
  }

  parser.parse(source).iterate({
    enter({ type, node }) {
      if (type.isError) faults.add(`not LogQL at ${JSON.stringify(source.slice(node.from, node.from + 20))}`);
      switch (type.name) {
        case "Selector":
          if (!/\bservice_name\s*=/.test(textOf(node)))
            faults.add("lines of every service: the selector lacks service_name");
          break;
        case "Matcher":
          checkMatcher(node);
          break;
        case "NumberFilter":
        case "DurationFilter":
        case "BytesFilter": {
          const name = textOf(node.getChild("Identifier"));
          if (!hasLabelOrField(name)) faults.add(`${name}: no line has it`);
          break;
        }
        case "Labels":
          for (const label of node.getChildren("Identifier"))
            if (!hasLabelOrField(textOf(label))) faults.add(`${textOf(label)}: no line has it`);
          break;
        case "LineFormatExpr":
          for (const [, name = ""] of textOf(node).matchAll(/\{\{(?:if )?\.?(\w+)\}\}/g))
            if (name !== "end" && !ofTemplates.has(name) && !hasLabelOrField(name))
              faults.add(`${name}: no line has it`);
          break;
        case "LabelParser":
        case "JsonExpressionParser":
        case "LogfmtParser":
          faults.add(`${textOf(node)}: the line is the message alone`);
          break;
      }
    },
  });
  return [...faults];
}
