import { uploadFormats } from "../../otel/api/catalogue/datasets.ts";
import { DomainError } from "../errors.ts";
import { nameOfKind } from "./name-of-kind.ts";

/** What a table may be sent as. */
export const tableFormats = uploadFormats;

/** What a file is, before it is looked at as a CSV. */
export interface TableSource {
  readonly format: (typeof tableFormats)[number];
  /** Of its text, by its name in the Encoding Standard; "utf-8" also of a format that is none of text. */
  readonly encoding: string;
  /** Whether nobody said so, and it was found by its letters. */
  readonly isEncodingGuessed?: boolean;
  /** True where its line ends are of several kinds, lines hold blanks alone, or a Ctrl-Z ends it: DuckDB reads none of these. */
  readonly isUntidy: boolean;
  /** Of Excel's, the sheet that is read; where nobody has looked yet, the one that was asked for. */
  readonly sheet?: string | undefined;
  /** The other sheets of the workbook, twenty at most. */
  readonly otherSheets?: readonly string[] | undefined;
  /** The first line with a letter that another encoding would read as another one; lines from 1. */
  readonly decoded?: { readonly line: number; readonly text: string } | undefined;
}

/** CSV in UTF-8, which is read as it stands. */
export const plainSource: TableSource = { format: "csv", encoding: "utf-8", isUntidy: false };

/** Whether the file itself is read, and no copy of it. */
export const isPlain = ({ format, encoding, isUntidy }: TableSource): boolean =>
  format === "csv" && encoding === "utf-8" && !isUntidy;

/** Whether the format itself says which names the columns have: then a name may be a number. */
export const namesColumns = ({ format }: Pick<TableSource, "format">): boolean => format !== "csv" && format !== "xlsx";

/** What the first bytes of a file tell; the encoding where they tell that, too. */
export type FirstSight = Pick<TableSource, "format"> & { readonly encoding: string | undefined };

/** A header of text may begin with these letters; what follows them in a Parquet file is none. */
const parquet = /^PAR1[^\t\n\r\x20-\xff]/;
const zip = Buffer.from("PK\u0003\u0004");
const jsonObject = /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:/;
const jsonList = /^\s*\[\s*\{/;
/** Of these bytes NULs are counted in even and odd places. */
const samplePairs = 2_048;
const lineFeed = 0x0a;
/** A tenth of them: digits, delimiters and line ends are ASCII in every language. */
const leastShareOfNuls = 0.1;

/** UTF-16 by its mark, or without one by the NULs beside its ASCII; undefined where it is none. */
export function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const pairs = Math.min(samplePairs, Math.floor(bytes.length / 2));
  const nuls = [0, 0];
  const lineFeeds = [0, 0];
  for (let pair = 0; pair < pairs; pair += 1) {
    const two = [bytes[2 * pair], bytes[2 * pair + 1]];
    for (const place of [0, 1] as const)
      if (two[place] === 0) {
        nuls[place]! += 1;
        if (two[1 - place] === lineFeed) lineFeeds[place]! += 1;
      }
  }
  const isHigh = (place: 0 | 1): boolean =>
    nuls[place]! > pairs * leastShareOfNuls && nuls[1 - place] === 0 && lineFeeds[place]! > 0;
  return isHigh(1) ? "utf-16le" : isHigh(0) ? "utf-16be" : undefined;
}

/**
 * What a file is by its first bytes, of which there should be some thousand.
 * @throws DomainError NOT_CSV with the name of what it is, where that is no table
 */
export function atFirstSight(bytes: Buffer): FirstSight {
  if (parquet.test(bytes.subarray(0, 5).toString("latin1"))) return { format: "parquet", encoding: "utf-8" };
  // A zip, which is a workbook or is named by what it holds.
  if (bytes.subarray(0, zip.length).equals(zip)) return { format: "xlsx", encoding: "utf-8" };
  const kind = nameOfKind(bytes);
  if (kind !== undefined)
    throw new DomainError("NOT_CSV", `This is ${kind}. Send the table as CSV, Excel, JSON or Parquet.`);
  const encoding = utf16Of(bytes);
  if (encoding !== undefined) return { format: "csv", encoding };
  const begin = bytes
    .subarray(0, 16_384)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  return { format: jsonList.test(begin) ? "json" : jsonObject.test(begin) ? "jsonl" : "csv", encoding: undefined };
}
