import { DomainError } from "../../errors.ts";
import { type ColumnType, columnTypes } from "../../tables/column-type.ts";
import { type Delimiter, type Dialect, delimiters } from "../../tables/dialect.ts";
import { encodingNamed } from "../../tables/text-encoding.ts";

/** What the sender of a file says of it; what is not said is found out. */
export interface UploadFields {
  readonly name: string;
  readonly target: string | undefined;
  /** In the Encoding Standard's words. */
  readonly encoding: string | undefined;
  /** Of an Excel workbook. */
  readonly sheet: string | undefined;
  readonly delimiter: Delimiter | undefined;
  readonly decimal: Dialect["decimal"] | undefined;
  /** Whether its first line names the columns. */
  readonly header: boolean | undefined;
  /** Words for a missing value beside those that are always read as such. */
  readonly missing: readonly string[] | undefined;
  /** Of columns by their names. */
  readonly types: Readonly<Record<string, ColumnType>> | undefined;
  /** Whether 03/04/2024 is the third of April. */
  readonly dayFirst: boolean | undefined;
  /** Names of columns that trainings shall not learn from. */
  readonly leftOut: readonly string[] | undefined;
}

/** Fields of the form beside the file. */
const uploadFieldNames = [
  "name",
  "target",
  "encoding",
  "sheet",
  "delimiter",
  "decimal",
  "header",
  "missing",
  "types",
  "dayFirst",
  "leftOut",
] as const;

/** Characters of a dataset's name. */
export const maxNameLength = 200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const controlCharacter = /[\u0000-\u001f]/;

function nameOf(wished: string | undefined, fileName: string): string {
  const name = (
    wished ??
    fileName
      .replace(/^.*[\\/]/, "")
      .replace(/\.(gz|zst)$/i, "")
      .replace(/\.(csv|tsv|tab|txt|jsonl?|ndjson|parquet|xls[xm])$/i, "")
  ).trim();
  if (name === "" || name.length > maxNameLength || controlCharacter.test(name)) {
    throw new DomainError(
      "FIELD_INVALID",
      `\`name\` must have 1 to ${maxNameLength} characters and no control characters.`,
    );
  }
  return name;
}

/** One of the values that a field may have; undefined where it was not sent, or empty. */
function oneOf<Value extends string>(
  field: string,
  sent: string | undefined,
  values: readonly Value[],
): Value | undefined {
  if (sent === undefined || sent === "") return undefined;
  const value = values.find((one) => one === sent);
  if (value === undefined)
    throw new DomainError(
      "FIELD_INVALID",
      `\`${field}\` is ${values.map((one) => JSON.stringify(one)).join(", ")}, not ${JSON.stringify(sent.slice(0, 20))}.`,
    );
  return value;
}

/** A tab is a control character: DuckDB takes no word with a quote or the delimiter. */
const quoteOrDelimiter = /[",;|]/;
const mostWords = 20;
const longestWord = 100;

/** A word as it is, or a list of them as JSON. */
function missingOf(sent: string | undefined): readonly string[] | undefined {
  if (sent === undefined || sent.trim() === "") return undefined;
  const words = sent.startsWith("[") ? parsedOf("missing", sent) : [sent];
  const isWord = (word: unknown): boolean =>
    typeof word === "string" &&
    word.length <= longestWord &&
    !controlCharacter.test(word) &&
    !quoteOrDelimiter.test(word) &&
    word.isWellFormed();
  if (!Array.isArray(words) || words.length > mostWords || !words.every(isWord))
    throw new DomainError(
      "FIELD_INVALID",
      `\`missing\` is a word, or a JSON list of ${mostWords} at most, as ["-999", "none given"]: each of ${longestWord} characters at most, without quotes, control characters, and what stands between cells (, ; | and tabs).`,
    );
  return words as string[];
}

function typesOf(sent: string | undefined): UploadFields["types"] {
  return sent === undefined || sent.trim() === "" ? undefined : checkedTypes(parsedOf("types", sent));
}

/** What is said of columns, whoever parsed it. @throws DomainError FIELD_INVALID */
export function checkedTypes(types: unknown): NonNullable<UploadFields["types"]> {
  const isTypes = typeof types === "object" && types !== null && !Array.isArray(types);
  if (!isTypes || !Object.values(types).every((type) => (columnTypes as readonly unknown[]).includes(type)))
    throw new DomainError(
      "FIELD_INVALID",
      `\`types\` is a JSON object of column and type (${columnTypes.join(", ")}), as {"zip": "text"}.`,
    );
  return types as NonNullable<UploadFields["types"]>;
}

function leftOutOf(sent: string | undefined): UploadFields["leftOut"] {
  if (sent === undefined || sent.trim() === "") return undefined;
  const leftOut = checkedLeftOut(parsedOf("leftOut", sent));
  return leftOut.length === 0 ? undefined : leftOut;
}

/** Names that are to be left out, each once, whoever parsed them. @throws DomainError FIELD_INVALID */
export function checkedLeftOut(names: unknown): string[] {
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
    throw new DomainError(
      "FIELD_INVALID",
      '`leftOut` is a JSON list of columns that trainings shall not learn from, as ["id"].',
    );
  return [...new Set(names)];
}

function parsedOf(field: string, sent: string): unknown {
  try {
    return JSON.parse(sent) as unknown;
  } catch (error) {
    throw new DomainError("FIELD_INVALID", `\`${field}\` is no JSON: ${(error as Error).message.slice(0, 200)}`, {
      cause: error,
    });
  }
}

/** The text fields of an upload's form. @throws DomainError UNEXPECTED_FIELD, FIELD_INVALID */
export function readUploadFields(fields: Readonly<Record<string, string>>, fileName: string): UploadFields {
  const unknown = Object.keys(fields).find((field) => !(uploadFieldNames as readonly string[]).includes(field));
  if (unknown !== undefined)
    throw new DomainError(
      "UNEXPECTED_FIELD",
      `The form takes \`file\`, ${uploadFieldNames.map((name) => `\`${name}\``).join(", ")}, not «${unknown.slice(0, 80)}».`,
    );
  const truthOf = (field: "header" | "dayFirst"): boolean | undefined => {
    const said = oneOf(field, fields[field], ["true", "false"]);
    return said && said === "true";
  };
  const encoding = fields.encoding?.trim() || undefined;
  return {
    name: nameOf(fields.name, fileName),
    target: fields.target?.trim() || undefined,
    encoding: encoding === undefined ? undefined : encodingNamed(encoding),
    sheet: fields.sheet || undefined,
    delimiter: oneOf("delimiter", fields.delimiter === "\\t" ? "\t" : fields.delimiter, delimiters),
    decimal: oneOf("decimal", fields.decimal, [".", ","]),
    header: truthOf("header"),
    missing: missingOf(fields.missing),
    types: typesOf(fields.types),
    dayFirst: truthOf("dayFirst"),
    leftOut: leftOutOf(fields.leftOut),
  };
}

/** Whether its sender says how a table is to be read. */
export const isReadingSaid = ({ target: _, ...reading }: Omit<UploadFields, "name">): boolean =>
  Object.values(reading).some((said) => said !== undefined);
