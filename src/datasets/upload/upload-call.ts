import { uploadErrorCodes } from "../../../otel/api/catalogue/datasets.ts";
import type { ErrorCode } from "../../errors.ts";
import type { TableSource } from "../../tables/table-source.ts";

/** What an upload is refused with, and where it is nobody's fault. */
export const uploadErrors: ErrorCode[] = [...uploadErrorCodes, "DISK_FULL", "STORAGE_UNAVAILABLE"];

/** Of the files that tables are kept as. */
export const mediaTypes = {
  csv: "text/csv",
  json: "application/json",
  jsonl: "application/jsonl",
  parquet: "application/vnd.apache.parquet",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
} as const satisfies Record<TableSource["format"], string>;

/** What a form's file may be, for the document. */
export const uploadEncoding = {
  file: {
    contentType: [...Object.values(mediaTypes), "application/gzip", "application/zstd"].join(", "),
    headers: {
      "Content-Disposition": {
        description: "Its name is the dataset's where the form names none.",
        example: 'form-data; name="file"; filename="table.csv"',
        schema: { type: "string" as const },
      },
    },
  },
};
