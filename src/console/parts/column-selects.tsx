import { Badge, NativeSelect } from "@mantine/core";
import type { UnderstoodColumn } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import {
  type ColumnRole,
  type ColumnType,
  type Corrections,
  roleOf,
  withRole,
  withType,
} from "../words/corrections.ts";

const roles: readonly ColumnRole[] = ["feature", "target", "left out"];
// A word that is no type: what was said of it before is taken back.
const byItsValues = "by its values";

/** What is being said of the columns, and who hears it. */
export interface Correcting {
  readonly corrections: Corrections;
  readonly onCorrections: (next: Corrections) => void;
}

type OfColumn = Correcting & { readonly column: UnderstoodColumn };

/** Says what a column's cells are. */
export function TypeSelect({ column: { name, type }, corrections, onCorrections }: OfColumn) {
  const { dataset: words } = useSpeech().texts;
  const said = corrections.types.get(name);
  const choose = (value: string): void => {
    const next = value === byItsValues ? null : (value as ColumnType);
    onCorrections(withType(corrections, name, next === type ? undefined : next));
  };
  return (
    <NativeSelect
      size="xs"
      aria-label={`${words.type}: ${name}`}
      value={said === null ? byItsValues : (said ?? type ?? "")}
      onChange={({ currentTarget }) => choose(currentTarget.value)}
      data={[
        ...Object.entries(words.types).map(([value, label]) => ({ value, label })),
        { value: byItsValues, label: words.byItsValues },
      ]}
    />
  );
}

/** Says what a column is for. The target stays until another column is: there is always one. */
export function RoleSelect({ column: { name }, corrections, onCorrections }: OfColumn) {
  const { dataset: words } = useSpeech().texts;
  const role = roleOf(corrections, name);
  if (role === "target") return <Badge className="badge">{words.roles[role]}</Badge>;
  return (
    <NativeSelect
      size="xs"
      aria-label={`${words.role}: ${name}`}
      value={role}
      onChange={({ currentTarget }) => onCorrections(withRole(corrections, name, currentTarget.value as ColumnRole))}
      data={roles.map((each) => ({ value: each, label: words.roles[each] }))}
    />
  );
}
