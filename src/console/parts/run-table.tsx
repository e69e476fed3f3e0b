import { Anchor, Table } from "@mantine/core";
import { Link } from "react-router";
import type { Run } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";
import { RunBadge } from "./run-badge.tsx";
import { WideTable } from "./wide-table.tsx";

function useQualityOf(): (run: Run) => string {
  const { texts, formats } = useSpeech();
  return ({ task, metrics }) => {
    const value = metrics?.[task === "classification" ? "accuracy" : "r2"];
    if (typeof value !== "number") return texts.none;
    return task === "classification"
      ? texts.lists.accuracy(formats.percent(value, 1))
      : texts.lists.r2(formats.measured(value));
  };
}

/** Runs, a line each. */
export function RunTable({ runs }: { runs: readonly Run[] }) {
  const { texts, formats } = useSpeech();
  const { lists, train, run: words } = texts;
  const qualityOf = useQualityOf();
  return (
    <WideTable label={texts.runs} head={[lists.target, words.mode, lists.status, lists.quality, lists.started]}>
      {runs.map((run) => (
        <Table.Tr key={run.id}>
          <Table.Td className="name-cell">
            <Anchor component={Link} to={`/runs/${run.id}`}>
              {shownName(run.target)}
            </Anchor>
          </Table.Td>
          <Table.Td>{train.modes[run.mode]}</Table.Td>
          <Table.Td>
            <RunBadge run={run} />
          </Table.Td>
          <Table.Td className="number">{qualityOf(run)}</Table.Td>
          <Table.Td className="one-line" title={formats.moment(run.createdAt)}>
            {formats.ago(run.createdAt, Date.now())}
          </Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
