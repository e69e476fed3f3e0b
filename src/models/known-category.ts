const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** What different spellings of the same have in common: `1` and `1.0`, `true` and `True`; undefined where there are none. */
function meaningOf(text: string): string | undefined {
  const plain = text.trim().toLowerCase();
  if (plain === "true" || plain === "false") return plain;
  return numeral.test(plain) ? String(Number(plain)) : undefined;
}

/**
 * Finds the category that a value is: the one of its spelling, else the only one that is the same number or the same truth
 * value. JSON has `1` and `true` where the table that the model learned from had `1.0` and `True`.
 * @returns undefined for a value that the model never saw
 */
export function categoryFinder(categories: readonly string[]): (text: string) => string | undefined {
  const spelled = new Set(categories);
  const byMeaning = new Map<string, string | undefined>();
  for (const category of categories) {
    const meaning = meaningOf(category);
    if (meaning !== undefined) byMeaning.set(meaning, byMeaning.has(meaning) ? undefined : category);
  }
  return (text) => {
    if (spelled.has(text)) return text;
    const meaning = byMeaning.size === 0 ? undefined : meaningOf(text);
    return meaning === undefined ? undefined : byMeaning.get(meaning);
  };
}
