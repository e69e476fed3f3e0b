import { DomainError } from "../errors.ts";
import { type Delimiter, type Dialect, delimiters } from "../tables/dialect.ts";
import { encodingNamed } from "../tables/text-encoding.ts";

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
}

/** Fields of the form beside the file. */
const uploadFieldNames = ["name", "target", "encoding", "sheet", "delimiter", "decimal"] as const;

/** Characters of a dataset's name. */
export const maxNameLength = 200;

function nameOf(wished: string | undefined, fileName: string): string {
  const name = (
    wished ??
    fileName
      .replace(/^.*[\\/]/, "")
      .replace(/\.(gz|zst)$/i, "")
      .replace(/\.(csv|tsv|tab|txt|jsonl?|ndjson|parquet|xls[xm])$/i, "")
  ).trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (name === "" || name.length > maxNameLength || /[\u0000-\u001f]/.test(name)) {
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

/** The text fields of an upload's form. @throws DomainError UNEXPECTED_FIELD, FIELD_INVALID */
export function readUploadFields(fields: Readonly<Record<string, string>>, fileName: string): UploadFields {
  const unknown = Object.keys(fields).find((field) => !(uploadFieldNames as readonly string[]).includes(field));
  if (unknown !== undefined)
    throw new DomainError(
      "UNEXPECTED_FIELD",
      `The form takes \`file\`, ${uploadFieldNames.map((name) => `\`${name}\``).join(", ")}, not «${unknown.slice(0, 80)}».`,
    );
  const encoding = fields.encoding?.trim() || undefined;
  return {
    name: nameOf(fields.name, fileName),
    target: fields.target?.trim() || undefined,
    encoding: encoding === undefined ? undefined : encodingNamed(encoding),
    sheet: fields.sheet || undefined,
    delimiter: oneOf("delimiter", fields.delimiter === "\\t" ? "\t" : fields.delimiter, delimiters),
    decimal: oneOf("decimal", fields.decimal, [".", ","]),
  };
}

/** Whether its sender says how a table is to be read. */
export const isReadingSaid = ({ encoding, sheet, delimiter, decimal }: Omit<UploadFields, "name">): boolean =>
  [encoding, sheet, delimiter, decimal].some((said) => said !== undefined);
