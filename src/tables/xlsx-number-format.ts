/** What a number with a format is: Excel keeps dates and times as numbers, and tells them from others by the format alone. */
export type NumberKind = "number" | "date" | "time" | "elapsed";

/**
 * Those that every workbook has without saying so (ECMA-376 part 1, 18.8.30 `numFmt`). 27 to 36 and 50 to 58 are dates where
 * the language is Chinese, Japanese or Korean, and are not used elsewhere.
 */
export function builtInKind(formatId: number): NumberKind {
  if (formatId === 46) return "elapsed";
  if ((formatId >= 18 && formatId <= 22) || formatId === 45 || formatId === 47) return "time";
  const isDate = (formatId >= 14 && formatId <= 17) || (formatId >= 27 && formatId <= 36);
  return isDate || (formatId >= 50 && formatId <= 58) ? "date" : "number";
}

/** Characters that a format may have in Excel; patterns are not let loose on longer ones. */
const maxFormatLength = 255;
// `"kr"`, `\d`, `_-` (the width of a dash), `*x` (filled up with x), and `[Red]`, `[$-409]`, `[>=10]`.
const spoken = /"[^"]*"?|[\\_*].|\[[^\]]*\]/g;

/**
 * By its code, of which the first section counts, that of positive numbers (ECMA-376 part 1, 18.8.31): letters of a date or
 * of a time make it one, where they stand neither in quotes nor in brackets. `[h]` and the like count on above 24 hours.
 */
export function kindOfFormat(code: string): NumberKind {
  const whole = code.slice(0, maxFormatLength);
  const isElapsed = /\[(?:h+|m+|s+)\]/i.test(whole.replaceAll(/"[^"]*"?|[\\_*]./g, ""));
  const [first = ""] = whole.replaceAll(spoken, "").split(";");
  if (isElapsed) return "elapsed";
  // `General` and the scientific `0.00E+00` have none of these letters.
  if (/[hs]/i.test(first)) return "time";
  return /[ymd]/i.test(first) ? "date" : "number";
}
