import type { z } from "zod";
import { type Dataset, type DatasetSummary, dialectOf } from "./dataset-repository.ts";
import type { understoodColumn, understoodSchema, understoodWithColumns } from "./dataset-schemas.ts";

/** How a dataset's file was read. */
export function understoodOf(dataset: Pick<DatasetSummary, "dialect">): z.input<typeof understoodSchema> {
  const { delimiter, decimal, skippedLines, leftOutColumns, missing, missingNumbers } = dialectOf(dataset);
  return {
    format: "csv",
    encoding: "utf-8",
    delimiter,
    decimal,
    skippedLines,
    leftOutColumns: leftOutColumns.map((place) => place + 1),
    missing: [...missing],
    missingNumbers: [...missingNumbers],
  };
}

/**
 * The same with what each of the file's columns was taken for.
 * @param examples of the columns that are not left out
 */
export function understoodWithColumnsOf(
  dataset: Pick<Dataset, "dialect" | "columns" | "target">,
  examples?: readonly (readonly string[])[],
): z.input<typeof understoodWithColumns> {
  const columns = dataset.columns.map(({ name, type }, index): z.input<typeof understoodColumn> => {
    const role = name === dataset.target ? "target" : "feature";
    return { name, type, role, ...(examples && { examples: [...(examples[index] ?? [])] }) };
  });
  for (const place of dialectOf(dataset).leftOutColumns)
    columns.splice(place, 0, { name: "", type: null, role: "left out" });
  return { ...understoodOf(dataset), columns };
}
