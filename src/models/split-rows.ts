/** The held-out part and the rest, each in ascending order. */
export interface RowSplit {
  readonly kept: Int32Array;
  readonly heldOut: Int32Array;
}

/** Mulberry32: small, fast, and the same on every machine, unlike Math.random. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Holds out `fraction` of `rows`, shuffled by the seed. With `classOf` (the class of each row, by place), every class
 * gives its own share; a class with too few rows for a share stays whole in the kept part.
 */
export function splitRows(rows: Int32Array, fraction: number, seed: number, classOf?: Int32Array): RowSplit {
  const groups = rowsByKey(rows, classOf);
  const random = seededRandom(seed);
  const kept = new Int32Array(rows.length);
  const heldOut = new Int32Array(rows.length);
  let [keptCount, heldOutCount] = [0, 0];
  for (const key of [...groups.keys()].sort((a, b) => a - b)) {
    const group = groups.get(key)!;
    for (let last = group.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1));
      const swapped = group[last]!;
      group[last] = group[other]!;
      group[other] = swapped;
    }
    const share = Math.round(group.length * fraction);
    heldOut.set(group.subarray(0, share), heldOutCount);
    kept.set(group.subarray(share), keptCount);
    heldOutCount += share;
    keptCount += group.length - share;
  }
  return { kept: kept.slice(0, keptCount).sort(), heldOut: heldOut.slice(0, heldOutCount).sort() };
}

/** No lists that grow: of millions of rows they were larger than columns. */
function rowsByKey(rows: Int32Array, classOf: Int32Array | undefined): Map<number, Int32Array> {
  if (classOf === undefined) return new Map([[0, rows.slice()]]);
  const counts = new Map<number, number>();
  for (const key of classOf) counts.set(key, (counts.get(key) ?? 0) + 1);
  const groups = new Map([...counts].map(([key, count]) => [key, new Int32Array(count)]));
  const held = new Map<number, number>();
  for (let place = 0; place < rows.length; place++) {
    const key = classOf[place]!;
    const at = held.get(key) ?? 0;
    groups.get(key)![at] = rows[place]!;
    held.set(key, at + 1);
  }
  return groups;
}
