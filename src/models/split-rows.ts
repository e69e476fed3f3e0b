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
  const groups = new Map<number, number[]>();
  for (let place = 0; place < rows.length; place++) {
    const key = classOf === undefined ? 0 : classOf[place]!;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rows[place]!]);
    else group.push(rows[place]!);
  }
  const random = seededRandom(seed);
  const kept: number[] = [];
  const heldOut: number[] = [];
  for (const key of [...groups.keys()].sort((a, b) => a - b)) {
    const group = groups.get(key)!;
    for (let last = group.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1));
      const swapped = group[last]!;
      group[last] = group[other]!;
      group[other] = swapped;
    }
    const share = Math.round(group.length * fraction);
    for (let place = 0; place < group.length; place++) (place < share ? heldOut : kept).push(group[place]!);
  }
  return { kept: Int32Array.from(kept).sort(), heldOut: Int32Array.from(heldOut).sort() };
}
