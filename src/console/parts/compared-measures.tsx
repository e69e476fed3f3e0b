import { Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { RunComparison } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { type MeasuredDifference, type MeasureRow, measureRows } from "../words/comparison.ts";
import { Section } from "./section.tsx";
import { WideTable } from "./wide-table.tsx";

/** What runs measured on the same rows, and how sure it is that one is better than the first. */
export function ComparedMeasures({
  comparison,
  heads,
  about,
}: {
  comparison: RunComparison;
  heads: readonly ReactNode[];
  about: string;
}) {
  const { run: words, compare } = useSpeech().texts;
  return (
    <Section title={compare.measures} about={about}>
      <WideTable label={compare.measures} head={[words.measure, ...heads]}>
        {measureRows(comparison).map((row) => (
          <Table.Tr key={row.name}>
            <Table.Td>{words.measures[row.name][0]}</Table.Td>
            {comparison.runs.map(({ id }, place) => (
              <Table.Td key={id} className="number">
                <Cell row={row} place={place} />
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </WideTable>
    </Section>
  );
}

function Cell({ row: { isShare, values, differences }, place }: { row: MeasureRow; place: number }) {
  const { texts, formats } = useSpeech();
  const value = values[place];
  const difference = differences[place];
  if (value === undefined) return texts.none;
  const signed = (each: number): string => (isShare ? formats.signedPercent(each) : formats.signed(each));
  const rangeOf = ({ interval }: MeasuredDifference): string =>
    interval === undefined ? "" : ` (${texts.dataset.fromTo(signed(interval[0]), signed(interval[1]))})`;
  return (
    <>
      <span className="strong">{isShare ? formats.percent(value, 1) : formats.measured(value)}</span>
      {difference !== undefined && (
        <Text size="xs" className="difference" data-kind={difference.kind}>
          {texts.compare.kinds[difference.kind]}
          {difference.kind !== "same" && `: ${signed(difference.difference)}${rangeOf(difference)}`}
        </Text>
      )}
    </>
  );
}
