import { Anchor, Text } from "@mantine/core";
import { Link, useNavigate, useParams } from "react-router";
import type { DescribedDataset } from "../api/answers.ts";
import { useDataset, useDeleteDataset } from "../api/datasets.ts";
import { useRuns } from "../api/runs.ts";
import { Asked } from "../parts/asked.tsx";
import { ColumnsSection } from "../parts/columns-section.tsx";
import { Confirmed } from "../parts/confirmed.tsx";
import { FirstRows } from "../parts/first-rows.tsx";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { ProfileSection } from "../parts/profile-section.tsx";
import { ReadAs } from "../parts/read-as.tsx";
import { RunTable } from "../parts/run-table.tsx";
import { Section } from "../parts/section.tsx";
import { TrainForm } from "../parts/train-form.tsx";
import { Warnings } from "../parts/warnings.tsx";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";

/** A dataset as it was understood, and the way to a model of it. */
export function DatasetPage() {
  const { id = "" } = useParams();
  return <Asked query={useDataset(id)}>{(dataset) => <Understood dataset={dataset} />}</Asked>;
}

function Understood({ dataset }: { dataset: DescribedDataset }) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const { id, name, target, rows, columns, warnings, warningCount, version, versionOf } = dataset;
  const navigate = useNavigate();
  const removal = useDeleteDataset(id);
  const extent = words.rowsAndColumns(rows, formats.count(rows), columns, formats.count(columns));
  const shown = (warnings ?? []).map(({ code, line, message }) => ({
    title: words.warningTitles[code],
    line,
    message,
  }));
  return (
    <Page title={shownName(name)} lead={extent}>
      {versionOf !== null && (
        <Text role="status">
          {words.versionOf(formats.count(version))}{" "}
          <Anchor component={Link} to={`/datasets/${versionOf}`}>
            {words.theOneBefore}
          </Anchor>
        </Text>
      )}
      <Warnings title={words.warnings} warnings={shown} count={warningCount ?? 0} />
      <div className="beside">
        <Section title={words.understood}>
          <ReadAs dataset={dataset} />
        </Section>
        {/* Another target, as after a correction, is what is chosen then. */}
        <TrainForm key={`${id} ${target}`} dataset={dataset} />
      </div>
      <ColumnsSection key={id} dataset={dataset} />
      <Section title={words.firstRows}>
        <FirstRows id={id} />
      </Section>
      <ProfileSection dataset={dataset} />
      <Section title={words.itsRuns}>
        <Paged query={useRuns(id)} empty={words.noRuns}>
          {(runs) => <RunTable runs={runs} />}
        </Paged>
      </Section>
      <Confirmed
        label={words.remove}
        question={words.removeSure}
        yes={words.removeYes}
        no={words.removeNo}
        call={{ ...removal, mutate: () => removal.mutate(undefined, { onSuccess: () => navigate("/datasets") }) }}
      />
    </Page>
  );
}
