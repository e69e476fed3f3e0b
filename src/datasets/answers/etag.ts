import type { Dataset, DatasetSummary } from "../kept/dataset-repository.ts";

/** The content of a dataset and how it is understood: a correction changes what is told of the same file. */
export const readingTag = ({ sha256, reading }: Pick<DatasetSummary, "sha256" | "reading">): string =>
  reading === 1 ? sha256 : `${sha256}-r${reading}`;

/**
 * Of a dataset as it is told. Profile and typed copy come later than the rest: who has seen it without them must not hear
 * «unchanged».
 */
export function etagOf(
  dataset: Pick<Dataset, "sha256" | "reading" | "has_profile" | "profile_fault" | "typed_bytes">,
): string {
  const { has_profile: hasProfile, profile_fault: fault, typed_bytes: typedBytes } = dataset;
  const later = [hasProfile && "-profile", fault && "-fault", typedBytes && `-${typedBytes}`];
  return `"${readingTag(dataset)}${later.map((each) => each || "").join("")}"`;
}
