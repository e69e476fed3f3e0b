/** Parameters as they are told: by the API's names, which the documents and the API's page have. */
export type Parameters = Readonly<Record<string, unknown>>;

/** A value of a parameter as a text. */
export function parameterText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}

/** Names of the parameters in which some of them differ, in the order in which they first come. */
export function differingNames(of: readonly Parameters[]): string[] {
  const names = [...new Set(of.flatMap((each) => Object.keys(each)))];
  return names.filter((name) => new Set(of.map((each) => JSON.stringify(each[name]))).size > 1);
}
