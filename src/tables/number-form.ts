import { matchersOf } from "./matchers.ts";

/** How the numbers of one column are written, where that is not plainly by digits and the file's decimal sign. */
export interface NumberForm {
  readonly decimal: "." | ",";
  /** Between groups of three digits: a blank stands for a narrow one and one that does not break, too. */
  readonly thousands: "" | "," | "." | " " | "'";
  /** The sign of a currency, or `%`, that each of the numbers has before it or behind it. */
  readonly before: string;
  readonly after: string;
}

const currencySigns = "$¢£¤¥฿₡₣₤₦₧₨₩₪₫€₭₮₱₲₴₵₸₹₺₼₽₾₿";
/** Not all of ISO 4217: `TOP 5` and `3 CUP` are no money. */
const currencyNames =
  "EUR USD GBP CHF JPY CNY INR SEK NOK DKK PLN CZK HUF RON CAD AUD NZD BRL MXN ZAR KRW SGD HKD US$ CA$ A$ NZ$ HK$ S$ R$ Fr kr zł Kč";
const affixes = new Set(["", "%", ...currencySigns, ...currencyNames.split(" ")]);

/** Whether a text is what a form may have before or behind its numbers: few, so that there are few forms. */
export const isAffix = (text: string): boolean => affixes.has(text);

const blanks = " \t\u00A0\u202F";
const signs: Record<NumberForm["thousands"], string> = {
  "": "",
  ",": ",",
  ".": ".",
  " ": " \u00A0\u202F",
  "'": "'’",
};
const minus = "−";

/**
 * A pattern of all cells that are numbers of the form; JavaScript and DuckDB read it alike. Groups have three digits each. A
 * number with a leading zero, or of more than 15 digits, is none: it is a name more often, and the last digits would be lost.
 */
export function patternOf({ decimal, thousands, before, after }: NumberForm): string {
  const grouped = thousands === "" ? "" : `|[1-9]\\d{0,2}(?:[${signs[thousands]}]\\d{3}){1,4}`;
  const digits = `(?:(?:0|[1-9]\\d{0,14}${grouped})(?:[${decimal}]\\d*)?|[${decimal}]\\d+)`;
  const escaped = (affix: string): string => affix.replace("$", "\\$");
  const left = before === "" ? "" : `${escaped(before)}[${blanks}]?`;
  const right = after === "" ? "" : `[${blanks}]?${escaped(after)}`;
  const sign = `[+${minus}-]`;
  const ways = [`(?:${sign}?${left}${left === "" ? "" : `|${left}${sign}`})${digits}${right}`];
  ways.push(`\\(${left}${digits}${right}\\)`);
  if (left + right !== "") ways.push(`${left}\\(${digits}\\)${right}`);
  return `[${blanks}]*(?:${ways.join("|")})[${blanks}]*`;
}

/** Matches cells that are numbers of the form, and no others. */
export const matcherOf = matchersOf<NumberForm>(
  patternOf,
  ({ decimal, thousands, before, after }) => `${decimal}${thousands}${before}_${after}`,
);

/**
 * What signs of a number are written as in a plain numeral, and which are left out: each of `from` becomes the one of `to` at
 * its place, or nothing. A number in parentheses is a negative one.
 */
export function plainSigns({ decimal, thousands, before, after }: NumberForm): { from: string; to: string } {
  const leftOut = new Set(
    [...`)${blanks}`, ...signs[thousands], ...before, ...after].filter((sign) => sign !== decimal),
  );
  return { from: `${minus}(${decimal}${[...leftOut].join("")}`, to: "--." };
}

/** The plain numeral of a cell that is a number of the form. */
export function toPlainNumeral(cell: string, form: NumberForm): string {
  const { from, to } = plainSigns(form);
  const places = new Map([...from].map((sign, place) => [sign, to[place] ?? ""]));
  return Array.from(cell, (sign) => places.get(sign) ?? sign).join("");
}

/** A number as the form writes it, for who is told of it. */
export function exampleOf({ decimal, thousands, before, after }: NumberForm): string {
  return `${before}1${thousands}234${decimal}50${after === "" ? "" : ` ${after}`}`;
}
