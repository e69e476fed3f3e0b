import { useRuns } from "../api/runs.ts";
import { EmptyList } from "../parts/empty-list.tsx";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { RunTable } from "../parts/run-table.tsx";
import { useSpeech } from "../texts/language.tsx";

/** All training runs, newest first. */
export function RunsPage() {
  const { texts } = useSpeech();
  const { noRuns, noRunsLead, toDatasets } = texts.lists;
  const empty = <EmptyList title={noRuns} lead={noRunsLead} to="/datasets" way={toDatasets} />;
  return (
    <Page title={texts.runs}>
      <Paged query={useRuns()} empty={empty}>
        {(runs) => <RunTable runs={runs} />}
      </Paged>
    </Page>
  );
}
