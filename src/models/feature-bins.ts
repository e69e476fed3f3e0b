/** More would not fit a byte together with the bin for missing values. */
const MAX_VALUE_BINS = 255;

/** Every feature cut into at most 255 bins of values, and one more for missing. */
export interface Bins {
  /** Lowest value of each bin; the first is the lowest value of all. The missing bin has the number after the last. */
  readonly thresholds: readonly Float32Array[];
  /** Bin of each place, by feature. */
  readonly ofFeature: readonly Uint8Array[];
  /** First bin of each feature in a histogram over all of them, and how many there are. */
  readonly offsets: Int32Array;
  readonly total: number;
}

/** Cuts between neighbouring values where they are few, else at quantiles; only `rows` have a say. */
export function binColumns(columns: readonly Float32Array[], rows: Int32Array): Bins {
  const offsets = new Int32Array(columns.length);
  const thresholds: Float32Array[] = [];
  const ofFeature: Uint8Array[] = [];
  let total = 0;
  for (const [feature, column] of columns.entries()) {
    const cuts = cutPoints(column, rows);
    thresholds.push(cuts);
    ofFeature.push(binsOf(column, rows, cuts));
    offsets[feature] = total;
    total += cuts.length + 1;
  }
  return { thresholds, ofFeature, offsets, total };
}

function cutPoints(column: Float32Array, rows: Int32Array): Float32Array {
  const sorted = Float32Array.from(rows, (row) => column[row]!)
    .filter((value) => !Number.isNaN(value))
    .sort();
  if (sorted.length === 0) return new Float32Array(0);
  const distinct: number[] = [];
  for (const value of sorted) if (value !== distinct.at(-1)) distinct.push(value);
  const cuts = [distinct[0]!];
  if (distinct.length <= MAX_VALUE_BINS) {
    for (let i = 1; i < distinct.length; i++) {
      const middle = Math.fround(distinct[i - 1]! / 2 + distinct[i]! / 2);
      // Between neighbouring floats there is no middle.
      cuts.push(middle > distinct[i - 1]! ? middle : distinct[i]!);
    }
  } else {
    for (let i = 1; i < MAX_VALUE_BINS; i++) {
      const value = sorted[Math.floor((i * sorted.length) / MAX_VALUE_BINS)]!;
      if (value > cuts.at(-1)!) cuts.push(value);
    }
  }
  return Float32Array.from(cuts);
}

function binsOf(column: Float32Array, rows: Int32Array, cuts: Float32Array): Uint8Array {
  const bins = new Uint8Array(column.length);
  for (const row of rows) {
    const value = column[row]!;
    if (Number.isNaN(value)) {
      bins[row] = cuts.length;
      continue;
    }
    let low = 0;
    let high = cuts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (cuts[middle]! <= value) low = middle;
      else high = middle;
    }
    bins[row] = low;
  }
  return bins;
}
