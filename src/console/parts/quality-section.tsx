import { Stack, Table, Text } from "@mantine/core";
import type { RunMetrics, Task } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { type Measure, measuresOf } from "../words/quality.ts";
import { qualitySentences } from "../words/quality-sentences.ts";
import { Section } from "./section.tsx";
import { WideTable } from "./wide-table.tsx";

/** How good a model is: in words first, then each measure beside guessing. */
export function QualitySection({ task, metrics }: { task: Task; metrics: RunMetrics }) {
  const { texts, formats } = useSpeech();
  const { run: words } = texts;
  const said = qualitySentences(task, metrics, { texts, formats });
  const measures = measuresOf(task, metrics);
  const shown = (value: number | undefined, isShare: boolean): string => {
    if (value === undefined) return texts.none;
    return isShare ? formats.percent(value, 1) : formats.measured(value);
  };
  const intervalOf = ({ interval, isShare }: Measure): string =>
    interval === undefined ? texts.none : `${shown(interval[0], isShare)} – ${shown(interval[1], isShare)}`;
  return (
    <Section title={words.quality}>
      {said !== undefined && (
        <Stack gap={4}>
          <Text className="verdict" data-kind={said.kind}>
            {said.headline}
          </Text>
          {said.reasons.map((reason) => (
            <Text key={reason}>{reason}</Text>
          ))}
        </Stack>
      )}
      <WideTable label={words.quality} head={[words.measure, words.model, words.interval, words.guessing]}>
        {measures.map((measure) => (
          <Table.Tr key={measure.name}>
            <Table.Td>
              <span>{words.measures[measure.name][0]}</span>
              <Text size="xs" className="quiet measure-about">
                {words.measures[measure.name][1]}
              </Text>
            </Table.Td>
            <Table.Td className="number strong">{shown(measure.value, measure.isShare)}</Table.Td>
            <Table.Td className="number">{intervalOf(measure)}</Table.Td>
            <Table.Td className="number">{shown(measure.baseline, measure.isShare)}</Table.Td>
          </Table.Tr>
        ))}
      </WideTable>
    </Section>
  );
}
