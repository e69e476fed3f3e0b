import { isUtf8 } from "node:buffer";
import { DomainError } from "../errors.ts";
import { type PredictionRows, recordsToRows } from "../models/predict-rows.ts";
import { utf16Of } from "../tables/table-source.ts";
import { guessEncodingIn } from "../tables/text-encoding.ts";
import { csvToRows } from "./parse-csv-rows.ts";
import { withTypedCells } from "./typed-cells.ts";

/** Rows of one request at most. */
export const maxPredictionRows = 1_000;

/** A request's body as it came, decompressed. */
export interface PredictionBody {
  readonly format: "json" | "csv";
  /** As Content-Type says; undefined where it says none. */
  readonly charset: string | undefined;
  readonly bytes: Uint8Array;
}

const invalid = (path: string, message: string): DomainError =>
  new DomainError("VALIDATION_FAILED", "The body is not what this call takes; see errors.", {
    fields: [{ path, message }],
  });

/** Fatal: a letter that can't be read would else become another, and a category nothing in silence. */
/** How a CSV is encoded where its sender says nothing: as of an upload, by its letters. */
const encodingOf = (bytes: Uint8Array): string =>
  isUtf8(bytes) ? "utf-8" : guessEncodingIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));

function decode({ format, bytes, charset }: PredictionBody): { readonly text: string; readonly encoding: string } {
  // A body says by itself that it is UTF-16, whatever is said or left out beside it; of no other encoding that is certain.
  const encoding = format === "csv" ? (utf16Of(bytes) ?? charset ?? encodingOf(bytes)) : (charset ?? "utf-8");
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(encoding, { fatal: true });
  } catch (error) {
    throw new DomainError("UNSUPPORTED_MEDIA_TYPE", "This charset is not known. Send the body as UTF-8.", {
      cause: error,
    });
  }
  try {
    return { text: decoder.decode(bytes), encoding: decoder.encoding };
  } catch (error) {
    throw new DomainError(
      "WRONG_ENCODING",
      `The body is not ${decoder.encoding}. Send UTF-8, or name the charset in Content-Type.`,
      { cause: error },
    );
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** By hand: zod copies records and loses a column called `__proto__`. */
function readJson(text: string): PredictionRows {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new DomainError("JSON_INVALID", "The body is not valid JSON.", { cause: error });
  }
  if (!isRecord(body) || !Array.isArray(body.rows)) throw invalid("rows", "must be a list of objects, a row each");
  const other = Object.keys(body).find((key) => key !== "rows");
  if (other !== undefined) throw invalid(other.slice(0, 80), "is not known here");
  const rows: unknown[] = body.rows;
  // Before each of a million is looked at.
  if (rows.length > maxPredictionRows) {
    throw new DomainError(
      "TOO_MANY_ROWS",
      `${rows.length} rows are too many: send up to ${maxPredictionRows} at once.`,
    );
  }
  return recordsToRows(
    rows.map((row, index) => {
      if (!isRecord(row)) throw invalid(`rows.${index}`, "must be an object of column and value");
      return row;
    }),
  );
}

/** The rows of a body. */
export interface ReadRows {
  readonly rows: PredictionRows;
  /** Of the body, in the Encoding Standard's words. */
  readonly encoding: string;
}

/**
 * The rows of a body, at least one.
 * @param missing the model's own words for a missing value
 * @throws DomainError for what is wrong with it, the same whether it is JSON or CSV
 */
export function readPredictionRows(body: PredictionBody, missing?: readonly string[]): ReadRows {
  const { text, encoding } = decode(body);
  const rows = body.format === "csv" ? csvToRows(text, { maxRows: maxPredictionRows, missing }) : readJson(text);
  if (rows.count === 0) throw invalid("rows", "must have at least one row");
  return { rows: withTypedCells(rows, missing), encoding };
}
