/** How a model is measured on rows that it has not learnt from. */
export type Validation =
  /** A share of the rows is held out, of each class its own. Default share 0.25. */
  | { readonly kind: "holdout"; readonly share?: number | undefined }
  /** Every row is held out once in each repeat. Default 5 folds, and 1 to 4 repeats by the size of the table. */
  | { readonly kind: "folds"; readonly folds?: number | undefined; readonly repeats?: number | undefined }
  /** The rows with the latest moments are held out. Default share 0.25. */
  | { readonly kind: "time"; readonly column: string; readonly share?: number | undefined }
  /** Whole groups of rows with the same value are held out: a share of the rows, or as many folds. */
  | {
      readonly kind: "group";
      readonly column: string;
      readonly share?: number | undefined;
      readonly folds?: number | undefined;
    };

/** What a share is where none is said. */
export const usualShare = 0.25;
const usualFolds = 5;
/** Of tables with fewer rows a quarter says little: folds halve the error of what is said (docs/adr/0037-validation-that-fits-the-data.md). */
export const enoughRows = 1_000;

/** How a run's model was measured. */
export interface ValidationReport {
  readonly kind: Validation["kind"];
  /** Of the rows that were held out, as asked for. */
  readonly share?: number;
  readonly folds?: number;
  readonly repeats?: number;
  readonly column?: string;
  /** Different values of the column; rows without one are each a group. */
  readonly groups?: number;
  /** The first moment that was held out, as ISO 8601, or the number. */
  readonly from?: string | number;
  /** Rows with a target and without a moment, which are in neither part. */
  readonly withoutMoment?: number;
  /** Of what was drawn; absent where nothing was. */
  readonly seed?: number;
}

/** What a run asks for to be measured so. */
export function askedBy({ kind, column, share, folds, repeats }: ValidationReport): Validation {
  if (kind === "holdout") return { kind, share };
  if (kind === "folds") return { kind, folds, repeats };
  if (kind === "time") return { kind, column: column!, share };
  return folds === undefined ? { kind, column: column!, share } : { kind, column: column!, folds };
}

/**
 * With its defaults.
 * @param rows with a target: where there are few, a run that names no validation is measured by folds, if that is not too dear
 * @param repeatsOf that many folds, where none are said; 0 where even one deal is dear
 */
export function wholeValidation(
  asked: Validation | undefined,
  rows: number,
  repeatsOf: (folds: number) => number,
): Validation {
  if (asked === undefined) {
    const repeats = rows < enoughRows ? repeatsOf(usualFolds) : 0;
    return repeats > 0 ? { kind: "folds", folds: usualFolds, repeats } : { kind: "holdout", share: usualShare };
  }
  if (asked.kind === "folds") {
    const { folds = usualFolds } = asked;
    return { kind: "folds", folds, repeats: asked.repeats ?? Math.max(1, repeatsOf(folds)) };
  }
  if (asked.kind === "group" && asked.folds !== undefined) return asked;
  return { ...asked, share: asked.share ?? usualShare };
}

/** Whether each row is held out once, so that no single model is measured. */
export const isByFolds = (validation: Validation | undefined): boolean =>
  validation?.kind === "folds" || (validation?.kind === "group" && validation.folds !== undefined);

/** The column that a validation goes by. */
export const columnOf = (validation: Validation | undefined): string | undefined =>
  validation !== undefined && "column" in validation ? validation.column : undefined;

/** The column by which rows are kept together: of a new row it says nothing that was learnt, so it is no feature unless asked for. */
export const groupColumnOf = (validation: Validation | undefined): string | undefined =>
  validation?.kind === "group" ? validation.column : undefined;
