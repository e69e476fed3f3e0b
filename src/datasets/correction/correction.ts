import type { SaidOfTable } from "../../store/schema.ts";
import { saidMissing } from "../../tables/missing.ts";
import { namesColumns } from "../../tables/table-source.ts";
import { checkedLeftOut, checkedTypes } from "../checks/upload-fields.ts";
import { type Dataset, dialectOf } from "../kept/dataset-repository.ts";

/** What is to be understood otherwise: absent stays as it was said, null takes back what was said. */
export interface Correction {
  readonly target?: string | null | undefined;
  /** Columns that are not named stay as they were said. As it came: names may be `__proto__`. */
  readonly types?: unknown;
  readonly dayFirst?: boolean | null | undefined;
  readonly leftOut?: readonly string[] | null | undefined;
}

/** What was said of a dataset; of one from before that was kept, what its dialect tells of it. */
export function saidOf(dataset: Pick<Dataset, "said" | "dialect" | "target">): SaidOfTable {
  if (dataset.said !== null) return dataset.said;
  const dialect = dialectOf(dataset);
  const { source, delimiter, decimal, skippedLines, isHeaderless } = dialect;
  const missing = saidMissing(dialect);
  // With lines above it, a header that is said to be the first line would be another one.
  const hasHeader = isHeaderless !== true && skippedLines === 0 && !namesColumns(source);
  return {
    target: dataset.target,
    ...(source.format === "csv" && { delimiter, decimal }),
    ...(source.sheet !== undefined && { sheet: source.sheet }),
    ...(isHeaderless === true && { header: false }),
    ...(hasHeader && { header: true }),
    ...(missing.length > 0 && { missing }),
  };
}

/** An object's own members; what else is sent for one has none. */
const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];

/** @throws DomainError FIELD_INVALID */
function correctedTypes(said: SaidOfTable["types"], types: unknown): SaidOfTable["types"] {
  if (types === undefined) return said;
  if (types === null) return undefined;
  const changed = entriesOf(types);
  const meant = Object.fromEntries(changed.filter(([, type]) => type !== null));
  const checked = Array.isArray(types) || typeof types !== "object" ? checkedTypes(types) : checkedTypes(meant);
  const named = new Set(changed.map(([name]) => name));
  // fromEntries, since an assignment to a column called "__proto__" would be lost.
  const kept = Object.entries(said ?? {}).filter(([name]) => !named.has(name));
  const all = Object.fromEntries([...kept, ...Object.entries(checked)]);
  return Object.keys(all).length === 0 ? undefined : all;
}

/**
 * What is said of a table after a correction, by the rules of a JSON merge patch (RFC 7396).
 * @throws DomainError FIELD_INVALID for what is none of the values that an upload's form takes
 */
export function corrected(said: SaidOfTable, { target, types, dayFirst, leftOut }: Correction): SaidOfTable {
  const names = leftOut === undefined ? said.leftOut : checkedLeftOut(leftOut ?? []);
  const now: SaidOfTable = {
    ...said,
    target: target === undefined ? said.target : (target?.trim() ?? undefined),
    types: correctedTypes(said.types, types),
    dayFirst: dayFirst === undefined ? said.dayFirst : (dayFirst ?? undefined),
    leftOut: names?.length === 0 ? undefined : names,
  };
  return Object.fromEntries(Object.entries(now).filter(([, value]) => value !== undefined));
}

/** What is said in an order that does not depend on who said it first: two that are alike are equal. */
export function wishesOf({ types, leftOut, ...said }: SaidOfTable): string {
  const pairs = (members: object): [string, unknown][] => Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([pairs(said), pairs(types ?? {}), leftOut?.toSorted() ?? []]);
}
