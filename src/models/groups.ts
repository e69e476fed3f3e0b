import type { RowSplit } from "./split-rows.ts";
import { TrainingDataError } from "./training-data-error.ts";
import { type TableColumn, textAt } from "./training-table.ts";

/** Rows that stay together. */
export interface RowGroups {
  readonly name: string;
  readonly rowCount: number;
  /** Places of the rows of each. */
  readonly members: readonly (readonly number[])[];
  /** Groups that have a value; each row without one is another. */
  readonly named: number;
}

/** The rows by their values in a column. @param rows those that have a target */
export function groupsOf(column: TableColumn, rows: Int32Array): RowGroups {
  const byValue = new Map<string | number, number[]>();
  const alone: number[][] = [];
  for (const [place, row] of rows.entries()) {
    const value = column.kind === "text" ? textAt(column, row) : column.numbers[row];
    if (value === null || value === undefined || value === "" || Number.isNaN(value)) alone.push([place]);
    else {
      const known = byValue.get(value);
      if (known === undefined) byValue.set(value, [place]);
      else known.push(place);
    }
  }
  const members = [...byValue.values(), ...alone];
  return { name: column.name, rowCount: rows.length, members, named: byValue.size };
}

/**
 * Holds out whole groups, drawn one by one, each where it brings the rows nearer to the share; the smallest where none does.
 * @throws TrainingDataError PARAMETER_UNUSABLE where there is one group
 */
export function holdOutGroups(groups: RowGroups, share: number, random: () => number): RowSplit {
  requireGroups(groups, 2);
  const wanted = groups.rowCount * share;
  const isHeldOut = new Uint8Array(groups.rowCount);
  const drawn = shuffled(groups.members, random);
  let count = 0;
  for (const group of drawn) {
    if (Math.abs(count + group.length - wanted) >= Math.abs(count - wanted)) continue;
    count += group.length;
    for (const place of group) isHeldOut[place] = 1;
  }
  if (count === 0) {
    const smallest = drawn.reduce((least, group) => (group.length < least.length ? group : least));
    for (const place of smallest) isHeldOut[place] = 1;
  }
  const places = Int32Array.from(isHeldOut.keys());
  return {
    kept: places.filter((place) => isHeldOut[place] === 0),
    heldOut: places.filter((place) => isHeldOut[place] === 1),
  };
}

/**
 * The fold of each place: groups in random order, the largest first, each to the fold with the fewest rows, as scikit-learn's
 * GroupKFold has it.
 * @throws TrainingDataError PARAMETER_UNUSABLE where there are fewer groups than folds
 */
export function dealOutGroups(groups: RowGroups, foldCount: number, random: () => number): Uint8Array {
  requireGroups(groups, foldCount);
  const foldOf = new Uint8Array(groups.rowCount);
  const sizes = new Array<number>(foldCount).fill(0);
  for (const group of shuffled(groups.members, random).sort((a, b) => b.length - a.length)) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold]! += group.length;
    for (const place of group) foldOf[place] = fold;
  }
  return foldOf;
}

function requireGroups({ name, members }: RowGroups, least: number): void {
  if (members.length >= least) return;
  throw new TrainingDataError(
    "PARAMETER_UNUSABLE",
    `\`validation\` by groups needs ${least} of them, and "${name}" has ${members.length} in the rows with a target. Choose another column, or fewer folds.`,
  );
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const left = [...items];
  for (let last = left.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [left[last], left[other]] = [left[other]!, left[last]!];
  }
  return left;
}
