import type { RowSplit } from "./split-rows.ts";

/** The fold of a row that is learnt from in every one, and never held out. */
export const neverHeldOut = 255;

/**
 * The rows of each class shuffled, and dealt out in turn: the fold of each place. A class of one row is never held out, for
 * nothing would be learnt of it then.
 * @param classOf of each place; all are of one where absent
 */
export function dealOut(
  rowCount: number,
  foldCount: number,
  random: () => number,
  classOf?: ArrayLike<number>,
): Uint8Array {
  const foldOf = new Uint8Array(rowCount);
  let turn = 0;
  for (const members of membersByClass(rowCount, classOf)) {
    if (members.length === 1 && classOf !== undefined) {
      foldOf[members[0]!] = neverHeldOut;
      continue;
    }
    for (let last = members.length - 1; last >= 0; last--) {
      const other = Math.floor(random() * (last + 1));
      foldOf[members[other]!] = turn++ % foldCount;
      members[other] = members[last]!;
    }
  }
  return foldOf;
}

function membersByClass(rowCount: number, classOf: ArrayLike<number> | undefined): Iterable<number[]> {
  const members = new Map<number, number[]>();
  for (let place = 0; place < rowCount; place++) {
    const key = classOf === undefined ? 0 : classOf[place]!;
    const known = members.get(key);
    if (known === undefined) members.set(key, [place]);
    else known.push(place);
  }
  return members.values();
}

/** Each fold held out once, by places; one at a time, for all at once would take memory for each. */
export function* splitsOf(foldOf: Uint8Array, foldCount: number): Generator<RowSplit> {
  for (let fold = 0; fold < foldCount; fold++) {
    const kept = new Int32Array(foldOf.length);
    const heldOut = new Int32Array(foldOf.length);
    let [keptCount, heldOutCount] = [0, 0];
    for (let place = 0; place < foldOf.length; place++) {
      if (foldOf[place] === fold) heldOut[heldOutCount++] = place;
      else kept[keptCount++] = place;
    }
    yield { kept: kept.slice(0, keptCount), heldOut: heldOut.slice(0, heldOutCount) };
  }
}
