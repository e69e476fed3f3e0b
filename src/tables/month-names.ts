const names = "january february march april may june july august september october november december".split(" ");
const beginnings = names.map((name) => name.slice(0, 3));

/** Letters in any case; a flag would not do, since RE2 takes ſ for an s then and JavaScript does not. */
const inAnyCase = (letters: string): string =>
  [...letters].map((letter) => `[${letter.toUpperCase()}${letter}]`).join("");

function patternOfName(name: string): string {
  const rest = inAnyCase(name.slice(3));
  const endings = name === "september" ? `${rest}|${inAnyCase("t")}` : rest;
  return inAnyCase(name.slice(0, 3)) + (rest === "" ? "" : `(?:${endings})?`);
}

/** A pattern, without groups, of the English name of a month or its first three letters, or `Sept`; JavaScript and RE2 read it alike. */
export const patternOfMonths = `(?:${names.map(patternOfName).join("|")})`;

/** The month, from 1, of a name that `patternOfMonths` matches. */
export const monthOf = (name: string): number => beginnings.indexOf(name.slice(0, 3).toLowerCase()) + 1;

/** SQL for the digits of the month, from 1, whose name is the first word of three letters or more in a cell. */
export const monthInSql = (cell: string): string =>
  `((strpos('${beginnings.join("")}', lower(regexp_extract(${cell}, '[A-Za-z]{3}'))) + 2) // 3)::VARCHAR`;
