import type { ColumnUse, UploadedDataset } from "../api/answers.ts";

// Values of the API that have a word in every language.
export type TableFormat = UploadedDataset["understood"]["format"];
export type UsedAs = ColumnUse["as"];
export type LeftOutReason = Extract<ColumnUse, { as: "left_out" }>["reason"];
