import { z } from "zod";
import { leavingOf } from "../../http/leaving.ts";
import { type ApiRoute, defineRoute, idParams, pageLimit, queryInteger } from "../../http/route.ts";
import { isKnown } from "../../http/send-file.ts";
import { columnTypes } from "../../tables/column-type.ts";
import { readingTag } from "../answers/etag.ts";
import type { CsvEngines } from "../engines/csv-engines.ts";
import { existingDataset } from "../kept/existing-dataset.ts";
import type { TypedReadingParts } from "../typed/on-typed-copy.ts";
import { readRows } from "./read-rows.ts";

/** More than any file has. */
const mostRows = 1e12;

const rowsQuery = z.object({
  limit: pageLimit.describe(
    "How many rows at most. A page has 20,000 cells and 256 KiB at most, and one row at least; nextOffset leads on.",
  ),
  offset: queryInteger(0, mostRows).default(0).describe("How many rows are passed over."),
});

const rowsSchema = z
  .object({
    columns: z.array(z.object({ name: z.string(), type: z.enum(columnTypes) })),
    rows: z
      .array(z.array(z.union([z.number(), z.string(), z.boolean()]).nullable()))
      .describe("Cells in the order of `columns`; null: missing, or no finite number."),
    firstRow: z.int().describe("The number of the first of `rows`: the first below the header is 1."),
    offset: z.int(),
    nextOffset: z.int().nullable().describe("Where the next page begins; null: there is none."),
    total: z.int().describe("Rows of the dataset."),
    cut: z
      .array(z.object({ row: z.int(), column: z.int() }))
      .describe(
        "Cells of which only the first characters are shown: 1,000, fewer where the page has more than 1,000 cells or a row does not fit. The row's number, and the column's place from 1.",
      ),
  })
  .meta({ id: "DatasetRows" });

/** Rows of a dataset as they are understood, for a person to look at. */
export function rowsRoute(parts: TypedReadingParts & { readonly csvEngines: CsvEngines }): ApiRoute {
  return defineRoute({
    method: "get",
    path: "/datasets/:id/rows",
    operationId: "readDatasetRows",
    tag: "Datasets",
    summary: "Rows as they are understood",
    params: idParams,
    query: rowsQuery,
    responses: {
      200: { description: "Some rows, in the file's order.", schema: rowsSchema },
      304: { description: "Unchanged." },
    },
    errors: [
      "ID_INVALID",
      "VALIDATION_FAILED",
      "DATASET_NOT_FOUND",
      "CHECKS_BUSY",
      "DISK_FULL",
      "FILE_MISSING_IN_STORAGE",
      "STORAGE_UNAVAILABLE",
    ],
    async handle({ owner, params, query, request, response }) {
      const dataset = await existingDataset(parts.db, owner, params.id);
      const { limit, offset } = query;
      const etag = `"${readingTag(dataset)}-${offset}-${limit}"`;
      response.setHeader("ETag", etag);
      // Asked before the file is read, as Express does not.
      if (isKnown(request, etag)) {
        response.status(304).end();
        return;
      }
      const { rows, cut } = await readRows(parts, dataset, { owner, offset, limit, signal: leavingOf(response) });
      const end = offset + rows.length;
      response.json({
        columns: dataset.columns.map(({ name, type }) => ({ name, type })),
        rows,
        firstRow: offset + 1,
        offset,
        nextOffset: rows.length > 0 && end < dataset.row_count ? end : null,
        total: dataset.row_count,
        cut,
      });
    },
  });
}
