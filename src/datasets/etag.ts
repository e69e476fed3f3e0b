import type { Dataset, DatasetSummary } from "./dataset-repository.ts";

/** The content of a dataset and how it is understood: a correction changes what is told of the same file. */
export const readingTag = ({ sha256, reading }: Pick<DatasetSummary, "sha256" | "reading">): string =>
  reading === 1 ? sha256 : `${sha256}-r${reading}`;

/** Of a dataset as it is told. The profile comes later than the rest: who has seen it without must not hear «unchanged». */
export function etagOf(dataset: Pick<Dataset, "sha256" | "reading" | "profile" | "profile_fault">): string {
  const { profile, profile_fault: fault } = dataset;
  return `"${readingTag(dataset)}${profile === null ? "" : "-profile"}${fault === null ? "" : "-fault"}"`;
}
