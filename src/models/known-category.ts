import type { TextFeature } from "./model.ts";

/** How many values of the column are no categories. */
export const countOthers = ({ others }: TextFeature): number =>
  others === undefined ? 0 : others.seen.length + others.more;

/** Whether a text is one of them as it is spelled. */
export const isKnownText = ({ categories, others }: TextFeature, text: string): boolean =>
  categories.includes(text) || (others?.seen.includes(text) ?? false);

/** A number whose digits are all of it: `02134` and 9007199254740993 are names, and `1E5` was written so for a reason. */
const plainNumeral = /^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/;

/** What different spellings of the same have in common: `1` and `1.0`, `true` and `True`; undefined where there are none. */
function meaningOf(text: string): string | number | undefined {
  const plain = text.trim().toLowerCase();
  if (plain === "true" || plain === "false") return plain;
  return plainNumeral.test(plain) ? Number(plain) : undefined;
}

/**
 * Finds the category that a value is: the one of its spelling, else the only one that is the same truth value or, of a value
 * that is a number itself, the same number. JSON has `1` and `true` where the table that the model learned from had `1.0` and
 * `True`; a text of digits is what it spells.
 * @returns undefined for a value that the model never saw
 */
export function categoryFinder(
  categories: readonly string[],
): (value: string | number | boolean) => string | undefined {
  const spelled = new Set(categories);
  const byMeaning = new Map<string | number, string | undefined>();
  for (const category of categories) {
    const meaning = meaningOf(category);
    if (meaning !== undefined) byMeaning.set(meaning, byMeaning.has(meaning) ? undefined : category);
  }
  return (value) => {
    const text = String(value);
    if (spelled.has(text)) return text;
    const meaning = byMeaning.size === 0 ? undefined : meaningOf(text);
    if (meaning === undefined || (typeof meaning === "number" && typeof value !== "number")) return undefined;
    return byMeaning.get(meaning);
  };
}

type Finder = ReturnType<typeof categoryFinder>;
// Of tens of thousands of values to make it takes longer than to predict a row.
const finders = new WeakMap<TextFeature, Finder>();

/** Finds the value of the training rows that a value is, a category or a rarer one, by {@link categoryFinder}. */
export function knownTextFinder(feature: TextFeature): Finder {
  const { categories, others } = feature;
  const finder =
    finders.get(feature) ?? categoryFinder(others === undefined ? categories : [...categories, ...others.seen]);
  finders.set(feature, finder);
  return finder;
}
