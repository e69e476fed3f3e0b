import { knownTextFinder } from "../../models/known-category.ts";
import type { TextFeature } from "../../models/model.ts";

/** Which feature of a column of text a value has, 1 the first; 0 is none. */
export interface TextCodes {
  /** Values that are otherwise than all others; each once. */
  readonly texts: readonly string[];
  readonly codes: readonly number[];
  /** Of all others. */
  readonly otherCode: number;
}

/** How `true` and `false` may be spelled, which all are the one category of that meaning. */
const truths = ["true", "false"].flatMap(spellingsOf);

/**
 * Encodes a column as `expandColumns` does, by a list of values.
 * @param missing words that stand for a missing value
 */
export function textCodes(feature: TextFeature, missing: readonly string[]): TextCodes {
  const otherCode = feature.others === undefined ? 0 : feature.categories.length + 1;
  const codeOf = new Map(feature.categories.map((category, place) => [category, place + 1]));
  const find = knownTextFinder(feature);
  for (const truth of truths) {
    const known = find(truth) ?? truth;
    if (known !== truth) codeOf.set(truth, codeOf.get(known) ?? otherCode);
  }
  for (const word of ["", ...missing]) codeOf.set(word, 0);
  const texts = [...codeOf.keys()];
  return { texts, codes: [...codeOf.values()], otherCode };
}

/** A word in all cases of its letters. */
function spellingsOf(word: string): string[] {
  let spelled = [""];
  for (const letter of word) spelled = spelled.flatMap((begin) => [begin + letter, begin + letter.toUpperCase()]);
  return spelled;
}
