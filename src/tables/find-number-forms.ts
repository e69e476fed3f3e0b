import { type Dialect, isNumeral, withoutFewWords } from "./dialect.ts";
import { isAffix, matcherOf, type NumberForm } from "./number-form.ts";

/** How a column may be written: where in more than one form, the decimal sign of the file's other columns must tell. */
interface Reading {
  readonly forms: readonly NumberForm[];
  /** Whether points or commas stand in it. */
  readonly hasSigns: boolean;
}

type Affixes = Pick<NumberForm, "before" | "after">;

/** What stands before and behind the digits of a cell, if it may stand there. */
function affixesOf(cell: string): Affixes | undefined {
  // Nearly all text ends here.
  const around = /^(\D{0,8})\d(?:.{0,60}\d)?(\D{0,8})$/.exec(cell);
  if (around === null) return undefined;
  const [before = "", after = ""] = around.slice(1).map((text) => {
    const affix = text.replace(/[()+−\-\s]/g, "");
    // `.5 €` and `5. €`.
    return isAffix(affix) ? affix : affix.replace(/^[.,]|[.,]$/, "");
  });
  return isAffix(before) && isAffix(after) && (before === "" || after === "") ? { before, after } : undefined;
}

function readingOf(cells: readonly string[], affixes: Affixes, { decimal: usual }: Dialect): Reading | undefined {
  const affix = affixes.before + affixes.after;
  const all = cells.join("\n");
  const between = /\d[ \u00A0\u202F]\d/.test(all) ? " " : /\d['’]\d/.test(all) ? "'" : undefined;
  const forms = [
    { decimal: ".", thousands: between ?? ",", ...affixes } as const,
    { decimal: ",", thousands: between ?? ".", ...affixes } as const,
  ].filter((form) => {
    const matcher = matcherOf(form);
    return cells.every((cell) => matcher.test(cell));
  });
  const [hasPoint, hasComma] = [all.includes("."), all.includes(",")];
  const reading = { forms, hasSigns: hasPoint || hasComma };
  const isOneKind = affix === "" && between === undefined && hasPoint !== hasComma;
  if (forms.length !== 1 || forms[0]!.decimal === usual || !isOneKind) return reading;
  // Each of four groups they may be addresses, as 192.168.100.101.
  if ((forms[0]!.decimal === ".") !== hasPoint)
    return cells.some((cell) => cell.split(/[.,]/).length !== 4) ? reading : undefined;
  // `1.5` where commas are usual may be a date; `1,5` among whole numbers a choice of two.
  return hasComma && cells.filter((cell) => cell.includes(",")).length > cells.length / 2 ? reading : undefined;
}

/** Where nothing tells the decimal sign, one that comes later must not be taken for thousands. */
const withoutGroups = (form: NumberForm): NumberForm =>
  form.thousands === "," || form.thousands === "." ? { ...form, thousands: "" } : form;

const isSure = ({ forms, hasSigns }: Reading): boolean => hasSigns && forms.length === 1;

/**
 * The forms of those columns that look like text, and are numbers in one: the same currency or `%` at each, groups of three
 * digits, parentheses or a typographic minus. `1,234` and `1.234` alone are read by the decimal sign of the other columns, and
 * where these don't tell and commas stand between cells, as thousands in quotes.
 * @param isForModel of rows for a model, which knows what is a number, but not how the table was written that it is of: nothing
 *   is taken for thousands that may be a fraction, and a number in parentheses needs no other beside it
 */
export function findNumberForms(
  rows: readonly (readonly string[])[],
  { dialect, isText, isForModel }: { dialect: Dialect; isText: readonly boolean[]; isForModel: boolean },
): Record<number, NumberForm> {
  const missing = new Set(["", ...dialect.missing, ...dialect.missingNumbers]);
  const readings = new Map<number, Reading>();
  for (const [index, is] of isText.entries()) {
    if (!is) continue;
    const filled = withoutFewWords(rows.map((row) => (row[index] ?? "").trim()).filter((cell) => !missing.has(cell)));
    const affixes = filled[0] === undefined ? undefined : affixesOf(filled[0]);
    if (affixes === undefined || filled.every((cell) => isNumeral(cell, dialect))) continue;
    // In parentheses alone they are marks, as of a footnote.
    if (!isForModel && filled.every((cell) => /^\(\d+\)$/.test(cell))) continue;
    const reading = readingOf(filled, affixes, dialect);
    if (reading !== undefined && reading.forms.length > 0) readings.set(index, reading);
  }
  const decimal = decimalOf(rows, [...readings.values()], { dialect, isText, isForModel });
  const found: Record<number, NumberForm> = {};
  for (const [index, reading] of readings) {
    const form = isSure(reading) ? reading.forms[0] : reading.forms.find((each) => each.decimal === decimal);
    if (form !== undefined) found[index] = form;
    else if (!reading.hasSigns)
      found[index] = withoutGroups(reading.forms.find((each) => each.decimal === dialect.decimal)!);
  }
  return found;
}

/** The decimal sign of more columns, plain ones and others; undefined where nothing tells. */
function decimalOf(
  rows: readonly (readonly string[])[],
  readings: readonly Reading[],
  { dialect, isText, isForModel }: Parameters<typeof findNumberForms>[1],
): Dialect["decimal"] | undefined {
  if (dialect.decimal === "," || readings.every(isSure)) return dialect.decimal;
  // A point alone is a word for a missing number.
  const isFraction = (cell: string | undefined): boolean => cell !== undefined && cell.length > 1 && cell.includes(".");
  const plain = isText.filter((is, index) => !is && rows.some((row) => isFraction(row[index]))).length;
  const sure = readings.filter(isSure);
  const commas = sure.filter(({ forms }) => forms[0]!.decimal === ",").length;
  const points = plain + sure.length - commas;
  if (commas !== points) return commas > points ? "," : ".";
  return commas === 0 && dialect.delimiter === "," && !isForModel ? "." : undefined;
}
