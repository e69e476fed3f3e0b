import { useParams } from "react-router";
import type { DescribedDataset } from "../api/answers.ts";
import { useDataset } from "../api/datasets.ts";
import { useRuns } from "../api/runs.ts";
import { Asked } from "../parts/asked.tsx";
import { FirstRows } from "../parts/first-rows.tsx";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { ReadAs } from "../parts/read-as.tsx";
import { RunTable } from "../parts/run-table.tsx";
import { Section } from "../parts/section.tsx";
import { TrainForm } from "../parts/train-form.tsx";
import { UnderstoodColumns } from "../parts/understood-columns.tsx";
import { Warnings } from "../parts/warnings.tsx";
import { useSpeech } from "../texts/language.tsx";

/** A dataset as it was understood, and the way to a model of it. */
export function DatasetPage() {
  const { id = "" } = useParams();
  return <Asked query={useDataset(id)}>{(dataset) => <Understood dataset={dataset} />}</Asked>;
}

function Understood({ dataset }: { dataset: DescribedDataset }) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const { id, name, rows, columns, understood, warnings, warningCount } = dataset;
  const extent = words.rowsAndColumns(rows, formats.count(rows), columns, formats.count(columns));
  const shown = (warnings ?? []).map(({ code, line, message }) => ({
    title: words.warningTitles[code],
    line,
    message,
  }));
  return (
    <Page title={name} lead={extent}>
      <Warnings title={words.warnings} warnings={shown} count={warningCount ?? 0} />
      <div className="beside">
        <Section title={words.understood}>
          <ReadAs dataset={dataset} />
        </Section>
        <TrainForm key={id} dataset={dataset} />
      </div>
      <Section title={words.columns}>
        <UnderstoodColumns columns={understood.columns} rows={rows} />
      </Section>
      <Section title={words.firstRows}>
        <FirstRows id={id} />
      </Section>
      <Section title={words.itsRuns}>
        <Paged query={useRuns(id)} empty={words.noRuns}>
          {(runs) => <RunTable runs={runs} />}
        </Paged>
      </Section>
    </Page>
  );
}
