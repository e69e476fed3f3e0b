/** A cell as it is shown: null where it is missing, or a number that JSON has no word for. */
export type ShownCell = number | string | boolean | null;

/** A cell of which only the first characters are shown: the number of its row, and the place of its column, from 1. */
export interface CutCell {
  readonly row: number;
  readonly column: number;
}

/** Rows as they are sent. */
export interface RowsPage {
  readonly rows: ShownCell[][];
  readonly cut: CutCell[];
}

const mostCells = 20_000;
const longestCell = 1_000;
/** Of a page before it is bounded by its bytes: to take more from the engine would hold the event loop. */
const mostCharacters = 1_000_000;
const mostBytes = 256 * 1024;

/** How many rows of so many columns are read at most, and how much of a cell; of fewer rows more of each. */
export function sizeOfPage(limit: number, columnCount: number): { rows: number; cellLength: number } {
  const rows = Math.min(limit, Math.max(1, Math.floor(mostCells / columnCount)));
  return { rows, cellLength: Math.min(longestCell, Math.floor(mostCharacters / (rows * columnCount))) };
}

/** Its first characters, as JavaScript counts them. Half of one that takes two places is no text. */
function firstOf(text: string, length: number): string {
  if (text.length <= length) return text;
  return text.slice(0, /[\uD800-\uDBFF]/.test(text[length - 1]!) ? length - 1 : length);
}

function show(cells: readonly unknown[], row: number, cellLength: number): { shown: ShownCell[]; cut: CutCell[] } {
  const cut: CutCell[] = [];
  const shown = cells.map((cell, place): ShownCell => {
    if (typeof cell === "number") return Number.isFinite(cell) ? cell : null;
    if (typeof cell === "boolean") return cell;
    if (typeof cell !== "string") return null;
    const first = firstOf(cell, cellLength);
    if (first.length < cell.length) cut.push({ row, column: place + 1 });
    return first;
  });
  return { shown, cut };
}

const bytesOf = (page: unknown): number => Buffer.byteLength(JSON.stringify(page));

/**
 * As many rows as fit into 256 KiB, one at least: of a first one that does not fit less is shown of each cell.
 * @param firstRow the number of the first of them, from 1
 * @param cellLength what is shown of a cell; one that is longer tells by being so that it is cut
 */
export function boundRows(
  read: readonly (readonly unknown[])[],
  { firstRow, cellLength }: { readonly firstRow: number; readonly cellLength: number },
): RowsPage {
  const page: RowsPage = { rows: [], cut: [] };
  let length = cellLength;
  let bytes = 0;
  for (const [index, cells] of read.entries()) {
    let row = show(cells, firstRow + index, length);
    while (index === 0 && length > 1 && bytesOf(row) > mostBytes) {
      length = Math.floor(length / 2);
      row = show(cells, firstRow, length);
    }
    bytes += bytesOf(row);
    if (index > 0 && bytes > mostBytes) break;
    page.rows.push(row.shown);
    page.cut.push(...row.cut);
  }
  return page;
}
