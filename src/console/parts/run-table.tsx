import { Anchor, Button, Group, Table, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import type { Run } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";
import { useQuality } from "./quality.ts";
import { RunBadge } from "./run-badge.tsx";
import { WideTable } from "./wide-table.tsx";

// The service compares no more at once.
const mostCompared = 10;

/** Runs, a line each; those that have a model can be chosen, and compared. */
export function RunTable({ runs }: { runs: readonly Run[] }) {
  const { texts, formats } = useSpeech();
  const { lists, train, run: words, compare } = texts;
  const quality = useQuality();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const choose = (id: string, isChosen: boolean): void =>
    setChosen((before) => (isChosen ? [...before, id] : before.filter((each) => each !== id)));
  const ageOf = ({ createdAt }: Run): string => formats.ago(createdAt, Date.now());
  return (
    <>
      <WideTable
        label={texts.runs}
        head={[compare.chosen, lists.target, words.mode, lists.status, lists.quality, lists.started]}
      >
        {runs.map((run) => (
          <Table.Tr key={run.id}>
            <Table.Td>
              {run.status === "succeeded" && (
                <input
                  type="checkbox"
                  className="check"
                  aria-label={compare.chooseRun(shownName(run.target), train.modes[run.mode], ageOf(run))}
                  checked={chosen.includes(run.id)}
                  disabled={chosen.length >= mostCompared && !chosen.includes(run.id)}
                  onChange={({ currentTarget }) => choose(run.id, currentTarget.checked)}
                />
              )}
            </Table.Td>
            <Table.Td className="name-cell">
              <Anchor component={Link} to={`/runs/${run.id}`}>
                {shownName(run.target)}
              </Anchor>
            </Table.Td>
            <Table.Td>{train.modes[run.mode]}</Table.Td>
            <Table.Td>
              <RunBadge run={run} />
            </Table.Td>
            <Table.Td className="number">{quality(run)}</Table.Td>
            <Table.Td className="one-line" title={formats.moment(run.createdAt)}>
              {ageOf(run)}
            </Table.Td>
          </Table.Tr>
        ))}
      </WideTable>
      {chosen.length > 0 && (
        <Group gap="sm">
          {chosen.length > 1 && (
            <Button component={Link} to={`/runs/compare?ids=${chosen.join(",")}`}>
              {compare.go(formats.count(chosen.length))}
            </Button>
          )}
          <Text size="sm" role="status">
            {chosen.length === 1 ? compare.oneMore : compare.withFirst}
          </Text>
        </Group>
      )}
    </>
  );
}
