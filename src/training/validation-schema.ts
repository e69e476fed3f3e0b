import { z } from "zod";

/** A column as a request names it. */
export const columnName = z.string().min(1).max(1000);

const share = z.number().min(0.05).max(0.5);
const folds = z.int().min(2).max(20);
/** On which rows a model is measured (docs/models.md). */
export const validationSchema = z.union(
  [
    z.strictObject({ kind: z.literal("holdout"), share: share.optional() }),
    z.strictObject({
      kind: z.literal("folds"),
      folds: folds.optional(),
      repeats: z.int().min(1).max(20).optional(),
    }),
    z.strictObject({ kind: z.literal("time"), column: columnName, share: share.optional() }),
    z.strictObject({ kind: z.literal("group"), column: columnName, share: share.optional() }),
    z.strictObject({ kind: z.literal("group"), column: columnName, folds }),
  ],
  {
    error:
      'must be {"kind": "holdout", "share": 0.05 to 0.5}, {"kind": "folds", "folds": 2 to 20, "repeats": 1 to 20}, {"kind": "time", "column": name, "share": 0.05 to 0.5}, or {"kind": "group", "column": name} with a share or with folds',
  },
);
