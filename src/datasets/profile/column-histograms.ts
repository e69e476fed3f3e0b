import type { ColumnHistogram } from "../../store/schema.ts";
import { isOfMoments } from "../../tables/column-type.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import { momentOf } from "../../tables/date-form.ts";
import { finiteIn, type PlacedColumn, withValues } from "./column-figures.ts";

// A thousandth of a bin: enough for every picture, and 6 characters instead of 18 for each of the edges.
const digitsOfWidth = 3;
const maxFractionDigits = 100;

/**
 * Edges of bins of equal width, as numpy's `linspace` but for a thousandth of it; the first and the last are exact. Fewer where
 * numbers lie so close that there is none between them, and one bin where they are all the same.
 */
function binEdges({ least, greatest }: { least: number; greatest: number }, bins: number): number[] {
  if (least === greatest) return [least, greatest];
  const span = greatest - least;
  const digits = Math.max(0, digitsOfWidth - Math.floor(Math.log10(span / bins)));
  const inner = Array.from({ length: bins - 1 }, (_, place) => {
    const share = (place + 1) / bins;
    // From one end of all numbers to the other there is more than a number can say.
    const edge = Number.isFinite(span) ? least + share * span : least * (1 - share) + greatest * share;
    return Math.min(greatest, digits > maxFractionDigits ? edge : Number(edge.toFixed(digits)));
  });
  return [...new Set([least, ...inner, greatest])];
}

/** SQL for the counts of the bins, the last first. */
function countsIn(column: PlacedColumn, edges: readonly number[]): string {
  // DuckDB's bins hold their upper bound, ours (as numpy's) the lower one: the bins of the negative numbers do. With an
  // exponent a literal is a DOUBLE, and not a DECIMAL that may be rounded.
  const bounds = edges.slice(0, -1).map((edge) => (-edge).toExponential());
  return `to_json(map_values(histogram(-${finiteIn(column)}, [${bounds.reverse().join(", ")}])))::VARCHAR`;
}

/** Of a column's spread: dates and times have edges of whole milliseconds, as they are told. */
export function edgesOf({ type }: PlacedColumn, range: { least: number; greatest: number }, bins: number): number[] {
  const edges = binEdges(range, bins);
  return isOfMoments(type) && range.least < range.greatest ? [...new Set(edges.map(Math.round))] : edges;
}

/** Counts finite numbers, dates or times in bins, all columns in one pass; by the columns' cells. */
export async function histogramsOf(
  reader: CsvReader,
  source: string,
  columns: readonly { readonly column: PlacedColumn; readonly edges: readonly number[] }[],
): Promise<Map<string, ColumnHistogram>> {
  if (columns.length === 0) return new Map();
  const counts = columns.map(({ column, edges }) => countsIn(column, edges));
  const rows = withValues(
    source,
    columns.map(({ column }) => column),
  );
  const [row = []] = await reader.query(`SELECT ${counts.join(", ")} FROM ${rows}`);
  return new Map(
    columns.map(({ column: { cell, type }, edges }, place) => [
      cell,
      {
        binEdges: isOfMoments(type) ? edges.map((edge) => momentOf(edge, type)) : edges,
        counts: (JSON.parse(String(row[place])) as number[]).reverse(),
      },
    ]),
  );
}
