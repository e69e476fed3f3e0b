import type { Correction, DescribedDataset, UnderstoodColumn } from "../api/answers.ts";

export type ColumnType = NonNullable<UnderstoodColumn["type"]>;
export type ColumnRole = UnderstoodColumn["role"];

/** What somebody says of a table's columns, before it is sent. */
export interface Corrections {
  /** By column what is said anew; null: its values shall tell. */
  readonly types: ReadonlyMap<string, ColumnType | null>;
  readonly target: string;
  readonly leftOut: ReadonlySet<string>;
}

type Corrected = Pick<DescribedDataset, "target" | "understood">;

/** Nothing said yet: a table as it is understood. */
export function asUnderstood({ target, understood }: Corrected): Corrections {
  // One without a name is left out by the service, and can't be named.
  const leftOut = understood.columns.filter(({ name, role }) => role === "left out" && name !== "");
  return { types: new Map(), target, leftOut: new Set(leftOut.map(({ name }) => name)) };
}

/** With another type of a column; `undefined` takes back what was said here. */
export function withType(corrections: Corrections, name: string, type: ColumnType | null | undefined): Corrections {
  const types = new Map(corrections.types);
  if (type === undefined) types.delete(name);
  else types.set(name, type);
  return { ...corrections, types };
}

/** With another role of a column. A new target is learnt from no longer, and the one before is. */
export function withRole(corrections: Corrections, name: string, role: ColumnRole): Corrections {
  const leftOut = new Set(corrections.leftOut);
  if (role === "left out") leftOut.add(name);
  else leftOut.delete(name);
  return { ...corrections, leftOut, target: role === "target" ? name : corrections.target };
}

/** The role of a column by what was said. */
export function roleOf({ target, leftOut }: Corrections, name: string): ColumnRole {
  if (name === target) return "target";
  return leftOut.has(name) ? "left out" : "feature";
}

const areSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((name) => other.has(name));

/** What is to be sent: that which differs from what is understood; undefined where nothing does. */
export function correctionOf(dataset: Corrected, corrections: Corrections): Correction | undefined {
  const before = asUnderstood(dataset);
  const { types, target, leftOut } = corrections;
  const correction: Correction = {
    ...(types.size > 0 && { types: Object.fromEntries(types) }),
    ...(target !== before.target && { target }),
    ...(!areSame(leftOut, before.leftOut) && { leftOut: [...leftOut] }),
  };
  return Object.keys(correction).length === 0 ? undefined : correction;
}
