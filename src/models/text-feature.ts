import { fairShare, firstWithin, jsonBytesOf } from "./fair-share.ts";
import type { DroppedColumn, ModelFeature, TextFeature } from "./model.ts";
import type { TextColumn } from "./training-table.ts";

/** As many values of a text column at most have a feature each; all of them, where there are no more. */
export const MAX_CATEGORIES = 50;
/** Where a column has more values than that, those of fewer rows have no feature of their own (docs/adr/0035-texts-of-many-values.md). */
export const LEAST_ROWS_OF_CATEGORY = 5;
/** Fewer values than this are no identifier, though each be in one row: there are too few rows to tell. */
const fewestIdentifiers = 20;
/** An identifier has a value of its own in more than this share of the rows that have one. */
const identifierShare = 0.95;
/** Of values that are no categories, in all columns of a model, as JSON. */
const mostOtherBytes = 256 * 1024;
/** More have no room there: each has four bytes or more. */
const mostOthers = mostOtherBytes / 4;

/**
 * What a column of text becomes, from the rows that are learnt from; or why it becomes nothing.
 * @param isChosen whether it was found to be of use already, in some of these rows
 */
export function textFeature(
  column: TextColumn,
  rows: Int32Array,
  isChosen = false,
): TextFeature | DroppedColumn["reason"] {
  const { name } = column;
  const counts = countTexts(column, rows);
  let held = 0;
  for (const count of counts.values()) held += count;
  if (counts.size === 0) return "empty";
  if (counts.size === 1 && held === rows.length) return "constant";
  if (!isChosen && isIdentifier(counts, held)) return "identifier";
  if (counts.size <= MAX_CATEGORIES) return { column: name, kind: "text", categories: [...counts.keys()].sort() };
  const ranked = mostFrequent(counts, MAX_CATEGORIES + mostOthers);
  const mostRanked = ranked.slice(0, MAX_CATEGORIES);
  const frequent = mostRanked.filter((text) => counts.get(text)! >= LEAST_ROWS_OF_CATEGORY);
  const categories = frequent.length === 0 && isChosen ? mostRanked : frequent;
  if (categories.length === 0) return "too_many_categories";
  const seen = ranked.slice(categories.length);
  return {
    column: name,
    kind: "text",
    categories: categories.sort(),
    others: { seen, more: counts.size - ranked.length },
  };
}

/** In how many of the rows each code stands. */
export function countCodes({ codes, values }: TextColumn, rows: Int32Array): Uint32Array {
  const counts = new Uint32Array(values.length);
  for (const row of rows) counts[codes[row]!]! += 1;
  return counts;
}

/** In how many of the rows each text stands, in the order in which they come; an empty one is none. */
function countTexts(column: TextColumn, rows: Int32Array): Map<string, number> {
  const { codes, values } = column;
  const left = countCodes(column, rows);
  const counts = new Map<string, number>();
  for (const row of rows) {
    const code = codes[row]!;
    const count = left[code]!;
    if (count === 0) continue;
    left[code] = 0;
    const text = values[code] ?? "";
    if (text !== "") counts.set(text, count);
  }
  return counts;
}

/** In descending order; of as many rows, what came first. Lists by count, since to sort a million pairs takes much memory. */
function mostFrequent(counts: ReadonlyMap<string, number>, most: number): string[] {
  const byCount = new Map<number, string[]>();
  for (const [text, count] of counts) {
    const texts = byCount.get(count);
    if (texts === undefined) byCount.set(count, [text]);
    else if (texts.length < most) texts.push(text);
  }
  const descending = [...byCount].sort(([one], [two]) => two - one);
  return descending.flatMap(([, texts]) => texts).slice(0, most);
}

function isIdentifier(counts: ReadonlyMap<string, number>, held: number): boolean {
  if (counts.size < fewestIdentifiers || counts.size <= held * identifierShare) return false;
  let alone = 0;
  for (const count of counts.values()) if (count === 1) alone += 1;
  return alone > held * identifierShare;
}

/**
 * The same, with as many of the other values as a model's file has room for: the most frequent of each column.
 * @param features with all of them, the most frequent first
 */
export function withinOtherBytes(features: readonly ModelFeature[]): ModelFeature[] {
  const othersOf = (feature: ModelFeature): readonly string[] =>
    feature.kind === "text" ? (feature.others?.seen ?? []) : [];
  const share = fairShare(
    features.map((feature) => jsonBytesOf(othersOf(feature))),
    mostOtherBytes,
  );
  return features.map((feature) => {
    if (feature.kind !== "text" || feature.others === undefined) return feature;
    const seen = firstWithin(feature.others.seen, share);
    return {
      ...feature,
      others: { seen: seen.sort(), more: feature.others.more + feature.others.seen.length - seen.length },
    };
  });
}
