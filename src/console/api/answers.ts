import type { components, operations } from "./openapi.d.ts";

type Schemas = components["schemas"];

// What the API answers, by the names that pages use.
export type Dataset = Schemas["Dataset"];
export type DescribedDataset = Schemas["DatasetWithProfile"];
export type UploadedDataset = Schemas["UploadedDataset"];
export type UnderstoodColumn = Schemas["UnderstoodWithColumns"]["columns"][number];
export type DatasetWarning = Schemas["DatasetWarning"];
export type Correction = operations["correctDataset"]["requestBody"]["content"]["application/json"];
export type ColumnProfile = NonNullable<DescribedDataset["profile"]>[number];
export type DatasetRows = Schemas["DatasetRows"];
export type Run = Schemas["TrainingRun"];
export type DescribedRun = Schemas["TrainingRunWithColumns"] & Run;
export type RunMetrics = Schemas["RunMetrics"];
export type RunComparison = Schemas["RunComparison"];
export type Leaderboard = Schemas["Leaderboard"];
export type RunStatus = Run["status"];
export type RunWarning = Schemas["TrainingWarning"];
export type ColumnUse = Schemas["ColumnUse"];
export type Mode = Run["mode"];
export type Task = Run["task"];
export type Model = Schemas["ArtifactWithInput"];
export type ListedModel = Schemas["Artifact"];
export type InputFeature = Schemas["InputFeature"];
export type Prediction = Predictions["predictions"][number];
export type Predictions = Schemas["Predictions"];
export type Problem = Schemas["Problem"];
export type FaultCode = Problem["code"];

/** Whether a run has ended for good. */
export function isFinal({ status }: Pick<Run, "status">): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}
