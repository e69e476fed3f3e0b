import { Badge, Table } from "@mantine/core";
import type { Leaderboard } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { parameterText } from "../words/parameters.ts";
import { FirstOf } from "./first-of.tsx";
import { Section } from "./section.tsx";
import { WideTable } from "./wide-table.tsx";

const shownAtFirst = 10;

/** What a search has tried, the best first; while it goes on, so far. */
export function Trials({ leaderboard: { metric, trials } }: { leaderboard: Leaderboard }) {
  const { texts, formats } = useSpeech();
  const { run: words, train, lists } = texts;
  if (trials.length === 0) return null;
  const [measure] = words.measures[metric];
  return (
    <Section title={words.tried} about={words.triedAbout(measure)}>
      <FirstOf items={trials} atFirst={shownAtFirst} further={words.furtherTrials}>
        {(shown) => (
          <WideTable label={words.tried} head={[words.mode, measure, "±", words.took, words.settings]}>
            {shown.map(({ mode, parameters, score, deviation, seconds, isBest, error }, place) => (
              <Table.Tr key={place}>
                <Table.Td className="one-line">
                  {train.modes[mode]} {isBest && <Badge className="badge">{lists.best}</Badge>}
                </Table.Td>
                <Table.Td className="number strong">{score === null ? texts.none : formats.measured(score)}</Table.Td>
                <Table.Td className="number">{deviation === null ? texts.none : formats.measured(deviation)}</Table.Td>
                <Table.Td className="number">{formats.duration(seconds)}</Table.Td>
                <Table.Td className="examples">
                  <code>
                    {error ??
                      (Object.entries(parameters)
                        .map(([name, value]) => `${name} ${parameterText(value)}`)
                        .join(", ") ||
                        texts.none)}
                  </code>
                </Table.Td>
              </Table.Tr>
            ))}
          </WideTable>
        )}
      </FirstOf>
    </Section>
  );
}
