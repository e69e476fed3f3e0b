import { Table } from "@mantine/core";
import type { ReactNode } from "react";

/** A table that scrolls by itself where it is wider than the page; by keys, too. */
export function WideTable({
  label,
  head,
  children,
}: {
  label: string;
  head: readonly ReactNode[];
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: else the keyboard can't scroll it
    // biome-ignore lint/a11y/useSemanticElements: a section would be a second landmark of the same name
    <div className="wide" role="region" aria-label={label} tabIndex={0}>
      <Table verticalSpacing="xs" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {head.map((cell, place) =>
              // The corner of a table with heads on two sides is the head of nothing.
              cell === "" ? (
                <Table.Td key={place} />
              ) : (
                <Table.Th key={place} scope="col">
                  {cell}
                </Table.Th>
              ),
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </div>
  );
}
