import { Table, Text } from "@mantine/core";
import type { DatasetRows } from "../api/answers.ts";
import { useFirstRows } from "../api/datasets.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";
import { Asked } from "./asked.tsx";
import { WideTable } from "./wide-table.tsx";

const shownColumns = 50;

/** The first rows of a dataset, as models see them. */
export function FirstRows({ id }: { id: string }) {
  return <Asked query={useFirstRows(id)}>{(page) => <Rows page={page} />}</Asked>;
}

function Rows({ page: { columns, rows, firstRow } }: { page: DatasetRows }) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const shown = columns.slice(0, shownColumns);
  const more = columns.length - shown.length;
  const textOf = (cell: DatasetRows["rows"][number][number]): string => {
    if (typeof cell === "boolean") return cell ? texts.yes : texts.no;
    return typeof cell === "number" ? formats.value(cell) : shownName(String(cell));
  };
  return (
    <>
      <WideTable label={words.firstRows} head={["#", ...shown.map(({ name }) => shownName(name))]}>
        {rows.map((row, place) => (
          <Table.Tr key={firstRow + place}>
            <Table.Td className="quiet">{formats.count(firstRow + place)}</Table.Td>
            {shown.map(({ name, type }, column) => {
              const cell = row[column] ?? null;
              return (
                <Table.Td key={name} className={type === "number" ? "number" : "cell"}>
                  {cell === null ? <i className="quiet">{words.cellMissing}</i> : textOf(cell)}
                </Table.Td>
              );
            })}
          </Table.Tr>
        ))}
      </WideTable>
      {more > 0 && <Text size="sm">{words.furtherColumns(more, formats.count(more))}</Text>}
    </>
  );
}
