/**
 * Finds in a query of Tempo what it accepts and answers with nothing: attributes that no span may say, spans that nobody
 * makes.
 */
import { parser } from "@grafana/lezer-traceql";
import type { SyntaxNode } from "./promql-tree.ts";

/** What a query may assume of the spans in Tempo. */
export interface KnownSpans {
  /** Of spans. */
  readonly attributes: ReadonlySet<string>;
  /** Of what sent them. */
  readonly resource: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/** The faults of one query, in words; none when it is sound. */
export function lintTraceql(query: string, { attributes, resource, names }: KnownSpans): string[] {
  const faults = new Set<string>();
  const textOf = (node: SyntaxNode | null): string => (node === null ? "" : query.slice(node.from, node.to));
  if (!/resource\.service\.name\s*=/.test(query) && !query.includes("span.mlops."))
    faults.add("traces of every service: resource.service.name is missing");

  parser.parse(query).iterate({
    enter({ type, node }) {
      if (type.isError) faults.add(`not TraceQL at ${JSON.stringify(query.slice(node.from, node.from + 20))}`);
      if (type.name === "AttributeField") {
        const name = textOf(node.getChild("Identifier"));
        const known = node.getChild("Resource") !== null ? resource : node.getChild("Span") !== null ? attributes : [];
        if (![...known].includes(name)) faults.add(`${textOf(node)}: nothing says it`);
      }
      if (type.name === "IntrinsicField" && textOf(node) === "name") {
        const comparison = node.parent?.parent ?? null;
        const value = /^name\s*=\s*"(.*)"$/.exec(textOf(comparison))?.[1];
        if (value === undefined || !names.has(value)) faults.add(`${textOf(comparison)}: no such span is made`);
      }
    },
  });
  return [...faults];
}
