import { Badge, Button, Table } from "@mantine/core";
import { useState } from "react";
import type { UnderstoodColumn } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { WideTable } from "./wide-table.tsx";

// A table may have thousands, and nobody reads them all.
const shownAtFirst = 50;

/** The columns of a file: what each is taken for. */
export function UnderstoodColumns({ columns, rows }: { columns: readonly UnderstoodColumn[]; rows: number }) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? columns : columns.slice(0, shownAtFirst);
  const more = columns.length - shown.length;
  const missingOf = (missing: number | undefined): string => {
    if (missing === undefined) return texts.none;
    return missing === 0 ? "0" : `${formats.count(missing)} (${formats.percent(missing / rows, 1)})`;
  };
  return (
    <>
      <WideTable label={words.columns} head={[words.column, words.type, words.role, words.missing, words.examples]}>
        {shown.map(({ name, type, role, missing, examples }, place) => (
          <Table.Tr key={place}>
            <Table.Td className="name-cell">{name === "" ? <i>{words.unnamed}</i> : name}</Table.Td>
            <Table.Td>{type === null ? texts.none : words.types[type]}</Table.Td>
            <Table.Td className="one-line">
              {role === "target" ? <Badge className="badge">{words.roles[role]}</Badge> : words.roles[role]}
            </Table.Td>
            <Table.Td className="number">{missingOf(missing)}</Table.Td>
            <Table.Td className="examples">{examples?.join(" · ") ?? texts.none}</Table.Td>
          </Table.Tr>
        ))}
      </WideTable>
      {more > 0 && (
        <Button variant="default" className="own-width" onClick={() => setShowsAll(true)}>
          {words.furtherColumns(more, formats.count(more))}
        </Button>
      )}
    </>
  );
}
