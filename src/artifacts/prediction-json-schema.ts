import type { InputFeature, ModelInput } from "../models/model-input.ts";
import { maxPredictionRows } from "./read-prediction-rows.ts";

/** What a schema is about: the body of a prediction, or one row of it. */
export const schemaParts = ["body", "row"] as const;

const dialect = "https://json-schema.org/draft/2020-12/schema";

/**
 * JSON Schema (draft 2020-12) of what a model predicts: what it accepts, POST /artifacts/{id}/predictions accepts. Categories
 * are examples, since one that the model never saw is told and not refused.
 */
export function predictionJsonSchema(
  input: ModelInput,
  target: string,
  part: (typeof schemaParts)[number],
): Record<string, unknown> {
  const row = rowSchema(input, target);
  if (part === "row") return { $schema: dialect, ...row };
  return {
    $schema: dialect,
    title: `Rows to predict ${target} of`,
    description: "The body of a prediction as application/json, up to 4 MiB.",
    type: "object",
    properties: { rows: { type: "array", minItems: 1, maxItems: maxPredictionRows, items: { $ref: "#/$defs/row" } } },
    required: ["rows"],
    additionalProperties: false,
    $defs: { row },
  };
}

function rowSchema({ features, example }: ModelInput, target: string): Record<string, unknown> {
  // fromEntries, since an assignment to a column called "__proto__" would be lost.
  const properties = Object.fromEntries(
    features.map((feature) => [feature.name, featureSchema(feature, example[feature.name] ?? null)]),
  );
  return {
    title: `A row to predict ${target} of`,
    description:
      "null is a missing value. A category other than those shown is as good as a missing value, or a rarer one where the column has such, where the model never saw it, and refused only with ?strict=true. Other columns are passed over.",
    type: "object",
    properties,
    required: features.map(({ name }) => name),
  };
}

/** Days of each month in all years and those of leap years, by ISO 8601, and a time; the service takes offsets too. */
const days = "(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31";
const leapYears = "[1-9]\\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00";
const isoDates = `^(?:[1-9]\\d{3}-(?:${days})|(?:${leapYears})-02-29)(?:T(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d)?)?$`;
/** Beyond a day a time has seconds. */
const isoTimes = "^(?:(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d)?|\\d{2,4}:[0-5]\\d:[0-5]\\d)$";
const isoPatterns = { date: isoDates, time: isoTimes };
const what = {
  date: "A date or time, of UTC where nothing says otherwise.",
  time: "A time without a date, by hours, minutes and seconds.",
};

function featureSchema(feature: InputFeature, example: number | string | boolean | null): Record<string, unknown> {
  if (feature.type === "boolean") return { type: ["boolean", "null"], description: "A boolean.", examples: [example] };
  if ("from" in feature) {
    const { type, from, to } = feature;
    return {
      type: ["string", "null"],
      pattern: isoPatterns[type],
      description: `${what[type]} Learnt from ${from} to ${to}.`,
      examples: [example],
    };
  }
  if (feature.type === "number") {
    const { numbersUpTo } = feature;
    return {
      type: ["number", "null"],
      ...(typeof numbersUpTo === "number" && { minimum: -numbersUpTo, maximum: numbersUpTo }),
      description: "A number.",
      examples: [example],
    };
  }
  const { categories, more, others = 0 } = feature;
  const rarer = others === 0 ? "" : `, or one of ${others} rarer values, which count as one`;
  return {
    // Truth values and numbers are the category that they mean.
    type: ["string", "number", "boolean", "null"],
    description: `One of ${categories.length + more} categories${more === 0 ? "" : `, of which ${categories.length} are shown`}${rarer}.`,
    examples: [...categories],
  };
}
