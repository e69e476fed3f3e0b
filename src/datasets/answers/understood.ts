import type { z } from "zod";
import type { SaidOfTable } from "../../store/schema.ts";
import { exampleOfDates } from "../../tables/date-form.ts";
import { exampleOf } from "../../tables/number-form.ts";
import { type Dataset, type DatasetSummary, dialectOf } from "../kept/dataset-repository.ts";
import type { understoodColumn, understoodSchema, understoodWithColumns } from "./dataset-schemas.ts";

/** So many at most: an answer with 2,000 says no more than one with 50. */
const mostForms = 50;

/** How a dataset's file was read. */
export function understoodOf(dataset: Pick<DatasetSummary, "dialect">): z.input<typeof understoodSchema> {
  const dialect = dialectOf(dataset);
  const { source, numberForms = {}, dateForms = {} } = dialect;
  return {
    format: source.format,
    encoding: source.encoding,
    delimiter: source.format === "csv" ? dialect.delimiter : null,
    decimal: dialect.decimal,
    sheet: source.sheet ?? null,
    otherSheets: [...(source.otherSheets ?? [])],
    decoded: source.decoded ?? null,
    header: dialect.isHeaderless !== true,
    linesMended: source.isUntidy,
    skippedLines: dialect.skippedLines,
    leftOutColumns: dialect.leftOutColumns.map((place) => place + 1),
    missing: [...dialect.missing],
    missingNumbers: [...dialect.missingNumbers],
    numberForms: Object.entries(numberForms)
      .slice(0, mostForms)
      .map(([index, form]) => ({ column: Number(index) + 1, form: exampleOf(form) })),
    dateForms: Object.entries(dateForms)
      .slice(0, mostForms)
      .map(([index, form]) => ({ column: Number(index) + 1, form: exampleOfDates(form) })),
  };
}

/** The same with what each of the file's columns was taken for. */
export function understoodWithColumnsOf(
  dataset: Pick<Dataset, "dialect" | "columns" | "target"> & { readonly said: Pick<SaidOfTable, "leftOut"> | null },
): z.input<typeof understoodWithColumns> {
  const leftOut = new Set(dataset.said?.leftOut);
  const columns = dataset.columns.map(({ name, type, missing, examples }): z.input<typeof understoodColumn> => {
    const role = name === dataset.target ? "target" : leftOut.has(name) ? "left out" : "feature";
    return { name, type, role, missing, ...(examples && { examples: [...examples] }) };
  });
  for (const place of dialectOf(dataset).leftOutColumns)
    columns.splice(place, 0, { name: "", type: null, role: "left out" });
  return { ...understoodOf(dataset), columns };
}
