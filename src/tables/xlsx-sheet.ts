import { DomainError } from "../errors.ts";
import { type CellMeaning, cellValue } from "./xlsx-cell.ts";
import { damaged, pieceBytes, type XlsxPackage } from "./xlsx-package.ts";
import type { NumberKinds } from "./xlsx-styles.ts";
import { richText } from "./xlsx-text.ts";
import type { Sheet } from "./xlsx-workbook.ts";
import { parseXml, type XmlLimits } from "./xlsx-xml.ts";

/** «Excel specifications and limits»: a sheet that claims more was made to keep its reader busy. */
const maxRows = 1_048_576;
const maxSheetColumns = 16_384;
/** As a row of a CSV may be. */
const maxRowLength = 1_048_576;
/** Of its XML: 2,000 cells with formulas of 2,000 characters. A row's values hold the XML that they were cut from. */
const maxRowXmlLength = 4 * 1024 * 1024;

/** A row that has a value. */
export interface SheetRow {
  /** By column from 0; undefined or empty where there is no value. */
  readonly cells: readonly (string | undefined)[];
  /** The first and the last column with a value. */
  readonly first: number;
  readonly last: number;
}

/** What reads a sheet's values beside its own part. */
export interface SheetMeaning extends CellMeaning {
  readonly kinds: NumberKinds;
}

/** What becomes of a sheet's rows. */
export interface RowListener {
  readonly row: (row: SheetRow) => void;
  /** Asked after every piece of XML; nothing more is read meanwhile. */
  readonly settle: () => Promise<void> | undefined;
}

/** The column from 0 that a reference as `BC12` names; the one behind the last where a cell has none. */
function columnOf(reference: string | undefined, next: number): number {
  if (reference === undefined) return next;
  let column = 0;
  let at = 0;
  for (; at < 4; at += 1) {
    const letter = (reference.charCodeAt(at) | 0x20) - 0x60;
    if (!(letter >= 1 && letter <= 26)) break;
    column = column * 26 + letter;
  }
  if (at === 0) throw damaged(`a cell has the place «${reference.slice(0, 20)}»`);
  return column - 1;
}

/**
 * Reads the rows of a sheet that have a value, from top to bottom (ECMA-376 part 1, 18.3.1.73 `row`, 18.3.1.4 `c`). Where in
 * the sheet a row says that it stands does not matter: empty ones are left out.
 * @throws DomainError NOT_CSV, DATASET_TOO_LARGE, what `listener` throws, and the reason of the package's signal
 */
export async function readRows(
  xlsx: XlsxPackage,
  { part }: Sheet,
  meaning: SheetMeaning,
  limits: XmlLimits,
  listener: RowListener,
): Promise<void> {
  let state: "before" | "rows" | "after" = "before";
  let rowCount = 0;
  let xmlLengthOfRow = 0;
  let length = 0;
  let cells: (string | undefined)[] = [];
  let first = maxSheetColumns;
  let last = -1;
  let column = -1;
  let type: string | undefined;
  let style = 0;
  let raw = "";
  let isValue = false;
  const inline = richText();

  function endCell(): void {
    const kind = meaning.kinds[style] ?? "number";
    const value = type === "inlineStr" ? inline.take() : cellValue(type, raw, kind, meaning);
    if (value === "") return;
    length += value.length;
    if (length > maxRowLength)
      throw new DomainError("NOT_CSV", "A row of the sheet is longer than 1 MiB, the most that a row may have.");
    cells[column] = value;
    first = Math.min(first, column);
    last = Math.max(last, column);
  }

  await parseXml(xlsx, part, limits, {
    open(name, attributes) {
      if (state !== "rows") {
        if (name === "sheetData" && state === "before") state = "rows";
      } else if (name === "c") {
        column = columnOf(attributes.r, column + 1);
        if (column >= maxSheetColumns) throw damaged(`a row has more than ${maxSheetColumns} cells`);
        type = attributes.t;
        style = Number(attributes.s ?? 0);
        raw = "";
      } else if (name === "v") {
        isValue = true;
        raw = "";
      } else if (name === "row") {
        rowCount += 1;
        if (rowCount > maxRows) throw damaged(`its sheet has more than ${maxRows} rows`);
        xmlLengthOfRow = 0;
        length = 0;
        cells = [];
        first = maxSheetColumns;
        last = -1;
        column = -1;
      } else if (type === "inlineStr") inline.open(name);
    },
    text(text) {
      if (isValue) raw += text;
      else if (type === "inlineStr") inline.text(text);
    },
    close(name) {
      if (state !== "rows") return;
      if (name === "c") {
        endCell();
        type = undefined;
      } else if (name === "v") isValue = false;
      else if (name === "row") {
        if (last >= 0) listener.row({ cells, first, last });
      } else if (name === "sheetData") state = "after";
      else if (type === "inlineStr") inline.close(name);
    },
    settle() {
      if (state === "rows") xmlLengthOfRow += pieceBytes;
      if (xmlLengthOfRow > maxRowXmlLength) throw damaged("a row of its sheet has more than 4 MiB of XML");
      return listener.settle();
    },
  });
}
