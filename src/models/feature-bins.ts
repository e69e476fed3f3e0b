import { type Categories, type FeatureColumn, floatsAt, floatsOf, TableFeature } from "./feature-column.ts";
import { sortFloats } from "./sort-floats.ts";

/** Bins of values that a feature may have: more would not fit a byte together with the one for missing values. */
export const MAX_VALUE_BINS = 255;
/** As many as a byte tells apart. */
export const binsOfByte = 256;

/** Every feature cut into bins of values, and one more for missing. */
export interface Bins {
  /** Lowest value of each bin; the first is the lowest value of all. The missing bin has the number after the last. */
  readonly thresholds: readonly Float32Array[];
  /** Bin of each place, by feature; features that are categories of one column have one list of which category each place has. */
  readonly ofFeature: readonly Uint8Array[];
  /** By feature, which category it is, and so its bin in that list; -1 of a number. */
  readonly categoryOf: Int16Array;
  /** First bin of each feature's list in a histogram over all of them, and how many there are. */
  readonly offsets: Int32Array;
  readonly total: number;
}

/** Which side a bin goes to. */
interface BinSplit {
  readonly feature: number;
  /** Bins below it go left; of a category, all others do. */
  readonly bin: number;
  readonly missingGoesLeft: boolean;
}

/** How values are cut. */
export interface BinOptions {
  /** Bins of values that a feature has at most, 2 to MAX_VALUE_BINS. */
  readonly maxBins: number;
  /** How much each place counts where values are cut at quantiles; undefined: all the same. */
  readonly rowWeights?: Float64Array | undefined;
}

/** Cuts between neighbouring values where they are few, else at quantiles; only `rows` have a say, and all places have a bin. */
export function binColumns(columns: readonly FeatureColumn[], rows: Int32Array, options: BinOptions): Bins {
  const offsets = new Int32Array(columns.length);
  const categoryOf = new Int16Array(columns.length).fill(-1);
  const thresholds: Float32Array[] = [];
  const ofFeature: Uint8Array[] = [];
  const lists = new Map<Categories, { readonly ofPlace: Uint8Array; readonly offset: number }>();
  let total = 0;
  for (const [feature, column] of columns.entries()) {
    if (column instanceof TableFeature && column.category !== undefined) {
      const { categories, place } = column.category;
      let list = lists.get(categories);
      if (list === undefined) {
        list = { ofPlace: categoriesIn(categories, column.rows), offset: total };
        lists.set(categories, list);
        total += categories.count + 1;
      }
      categoryOf[feature] = place;
      offsets[feature] = list.offset;
      ofFeature.push(list.ofPlace);
      thresholds.push(Float32Array.of(0, 0.5));
      continue;
    }
    const floats = floatsOf(column);
    const cuts = cutPoints(floats, rows, options);
    thresholds.push(cuts);
    ofFeature.push(binsOf(floats, cuts));
    offsets[feature] = total;
    total += cuts.length + 1;
  }
  return { thresholds, ofFeature, categoryOf, offsets, total };
}

/** By place; a row of none has the number after the last. */
function categoriesIn(categories: Categories, rows: Int32Array): Uint8Array {
  const ofPlace = new Uint8Array(rows.length);
  for (let place = 0; place < rows.length; place++) {
    const category = categories.in(rows[place]!);
    ofPlace[place] = category < 0 ? categories.count : category;
  }
  return ofPlace;
}

/** Marks by 1 which bins of the feature's list a split sends to the left, and by 0 which to the right. */
export function markLeftBins(
  { thresholds, categoryOf }: Pick<Bins, "thresholds" | "categoryOf">,
  { feature, bin, missingGoesLeft }: BinSplit,
  isLeft: Uint8Array,
): void {
  const category = categoryOf[feature]!;
  if (category >= 0) {
    isLeft.fill(1)[category] = 0;
    return;
  }
  isLeft.fill(1, 0, bin).fill(0, bin)[thresholds[feature]!.length] = missingGoesLeft ? 1 : 0;
}

function cutPoints(column: Float32Array, rows: Int32Array, { maxBins, rowWeights }: BinOptions): Float32Array {
  const sorted = sortFloats(floatsAt(column, rows));
  if (sorted.length === 0) return sorted;
  const distinct = distinctNumbers(sorted, maxBins + 1);
  if (distinct.length > maxBins)
    return Float32Array.from(quantileCuts(...weighed(column, rows, sorted, rowWeights), maxBins));
  const cuts = [distinct[0]!];
  for (let i = 1; i < distinct.length; i++) {
    const middle = Math.fround(distinct[i - 1]! / 2 + distinct[i]! / 2);
    // Between neighbouring floats there is no middle.
    cuts.push(middle > distinct[i - 1]! ? middle : distinct[i]!);
  }
  return Float32Array.from(cuts);
}

/** @param most as many at most: of more nobody asks which they are */
function distinctNumbers(sorted: Float32Array, most: number): number[] {
  const distinct: number[] = [];
  for (const value of sorted) {
    if (value === distinct.at(-1)) continue;
    if (distinct.push(value) === most) break;
  }
  return distinct;
}

/** The values in their order, and how much lies before each of them and behind the last. */
function weighed(
  column: Float32Array,
  rows: Int32Array,
  sorted: Float32Array,
  rowWeights: Float64Array | undefined,
): [values: Float32Array, before: Float64Array] {
  const before = new Float64Array(sorted.length + 1);
  if (rowWeights === undefined) {
    for (let at = 1; at <= sorted.length; at++) before[at] = at;
    return [sorted, before];
  }
  const inOrder = rows.filter((row) => !Number.isNaN(column[row]!)).sort((a, b) => column[a]! - column[b]!);
  for (const [at, row] of inOrder.entries()) before[at + 1] = before[at]! + rowWeights[row]!;
  return [sorted, before];
}

/**
 * Values at equal shares of the weight. One that is heavier than a share has a bin of its own, and the rest of the bins are
 * spread over what lies beyond it: else a feature that is mostly 0 would have no other bin.
 */
function quantileCuts(values: Float32Array, before: Float64Array, count: number): number[] {
  const total = before.at(-1)!;
  const cuts: number[] = [];
  let [from, bins, taken, at] = [0, count, 0, 0];
  while (taken < bins) {
    const share = from + (taken * (total - from)) / bins;
    while (at < values.length && before[at + 1]! <= share) at++;
    if (at === values.length) break;
    const last = cuts.at(-1);
    if (last === undefined || values[at]! > last) {
      cuts.push(values[at]!);
      taken += 1;
      continue;
    }
    while (at < values.length && values[at]! <= last) at++;
    [from, bins, taken] = [before[at]!, bins - taken, 0];
  }
  // What weighs nothing, but for the least value of all, from which the first bin goes.
  cuts[0] = values[0]!;
  return cuts;
}

/** By halves, without a branch that a processor would have to guess. */
function binsOf(column: Float32Array, cuts: Float32Array): Uint8Array {
  const bins = new Uint8Array(column.length);
  const padded = new Float32Array(binsOfByte).fill(Number.POSITIVE_INFINITY);
  padded.set(cuts);
  const last = cuts.length - 1;
  for (let place = 0; place < bins.length; place++) {
    const value = column[place]!;
    let low = 0;
    for (let step = binsOfByte >> 1; step > 0; step >>= 1) low += step & -Number(padded[low + step]! <= value);
    bins[place] = Number.isNaN(value) ? cuts.length : Math.min(low, last);
  }
  return bins;
}
