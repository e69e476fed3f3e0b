import { Anchor, Table } from "@mantine/core";
import { Link } from "react-router";
import type { Dataset } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";
import { WideTable } from "./wide-table.tsx";

/** Datasets, a line each. */
export function DatasetTable({ datasets }: { datasets: readonly Dataset[] }) {
  const { texts, formats } = useSpeech();
  const { lists } = texts;
  const head = [lists.name, lists.target, lists.rows, lists.size, lists.age, lists.expires];
  return (
    <WideTable label={texts.datasets} head={head}>
      {datasets.map(({ id, name, target, rows, sizeBytes, createdAt, expiresAt, version }) => (
        <Table.Tr key={id}>
          <Table.Td className="name-cell">
            <Anchor component={Link} to={`/datasets/${id}`}>
              {version === 1 ? shownName(name) : `${shownName(name)} (${version})`}
            </Anchor>
          </Table.Td>
          <Table.Td>{shownName(target)}</Table.Td>
          <Table.Td className="number">{formats.count(rows)}</Table.Td>
          <Table.Td className="number">{formats.size(sizeBytes)}</Table.Td>
          <Table.Td className="one-line" title={formats.moment(createdAt)}>
            {formats.ago(createdAt, Date.now())}
          </Table.Td>
          <Table.Td className="one-line">{expiresAt === null ? texts.none : formats.moment(expiresAt)}</Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
