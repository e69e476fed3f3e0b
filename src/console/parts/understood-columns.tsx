import { Badge, Table } from "@mantine/core";
import type { UnderstoodColumn } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";
import { type Correcting, RoleSelect, TypeSelect } from "./column-selects.tsx";
import { FirstOf } from "./first-of.tsx";
import { WideTable } from "./wide-table.tsx";

const shownAtFirst = 50;

/** The columns of a file: what each is taken for, and where `correcting` is there, what it shall be. */
export function UnderstoodColumns({
  columns,
  rows,
  correcting,
}: {
  columns: readonly UnderstoodColumn[];
  rows: number;
  correcting: Correcting | undefined;
}) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const missingOf = (missing: number | undefined): string => {
    if (missing === undefined) return texts.none;
    return missing === 0 ? "0" : `${formats.count(missing)} (${formats.percent(missing / rows, 1)})`;
  };
  return (
    <FirstOf items={columns} atFirst={shownAtFirst} further={words.furtherColumns}>
      {(shown) => (
        <WideTable label={words.columns} head={[words.column, words.type, words.role, words.missing, words.examples]}>
          {shown.map((column, place) => {
            const { name, type, role, missing, examples } = column;
            // One without a name can be neither named nor used.
            const isCorrected = correcting !== undefined && name !== "";
            return (
              <Table.Tr key={place}>
                <Table.Td className="name-cell">{name === "" ? <i>{words.unnamed}</i> : shownName(name)}</Table.Td>
                <Table.Td>
                  {isCorrected ? (
                    <TypeSelect column={column} {...correcting} />
                  ) : (
                    (type && words.types[type]) || texts.none
                  )}
                </Table.Td>
                <Table.Td className="one-line">
                  {isCorrected ? (
                    <RoleSelect column={column} {...correcting} />
                  ) : role === "target" ? (
                    <Badge className="badge">{words.roles[role]}</Badge>
                  ) : (
                    words.roles[role]
                  )}
                </Table.Td>
                <Table.Td className="number">{missingOf(missing)}</Table.Td>
                <Table.Td className="examples">{examples?.map(shownName).join(" · ") ?? texts.none}</Table.Td>
              </Table.Tr>
            );
          })}
        </WideTable>
      )}
    </FirstOf>
  );
}
