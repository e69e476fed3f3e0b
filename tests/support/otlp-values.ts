/** A value of an attribute, or the body of a line. */
export type Value = string | number | boolean | Value[] | undefined;

// biome-ignore lint/suspicious/noExplicitAny: the decoded message, in the names of OTLP/JSON
export type Json = any;

/** Whatever of the kinds it is. */
export function plainValue(value: Json): Value {
  if (value === undefined || value === null) return undefined;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  const [kind, content] = Object.entries(value)[0] ?? [];
  return kind === "intValue" ? Number(content) : (content as Value);
}

/** By name. */
export const attributesOf = (list: Json[] | undefined): Record<string, Value> =>
  Object.fromEntries((list ?? []).map(({ key, value }) => [key, plainValue(value)]));
