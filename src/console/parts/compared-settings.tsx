import { Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useSpeech } from "../texts/language.tsx";
import type { ComparedRun } from "../words/comparison.ts";
import { differingNames, parameterText } from "../words/parameters.ts";
import { shownName } from "../words/shown-name.ts";
import { Section } from "./section.tsx";
import { WideTable } from "./wide-table.tsx";

/** In what runs differ that were compared: their mode, what they learn from, and parameters. */
export function ComparedSettings({ runs, heads }: { runs: readonly ComparedRun[]; heads: readonly ReactNode[] }) {
  const { compare: words, run, train } = useSpeech().texts;
  const settings = runs.map(({ mode, features, parameters }) => ({
    [run.mode]: train.modes[mode],
    [words.features]: features === null ? words.allColumns : features.map(shownName).join(", "),
    ...parameters,
  }));
  const names = differingNames(settings);
  return (
    <Section title={words.settings}>
      {names.length === 0 ? (
        <Text>{words.noDifference}</Text>
      ) : (
        <WideTable label={words.settings} head={[words.setting, ...heads]}>
          {names.map((name) => (
            <Table.Tr key={name}>
              <Table.Td>{name}</Table.Td>
              {settings.map((of, place) => (
                <Table.Td key={place} className="examples">
                  {(of as Record<string, unknown>)[name] === undefined
                    ? words.byDefault
                    : parameterText((of as Record<string, unknown>)[name])}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </WideTable>
      )}
    </Section>
  );
}
