import { useDatasets } from "../api/datasets.ts";
import { DatasetTable } from "../parts/dataset-table.tsx";
import { EmptyList } from "../parts/empty-list.tsx";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { useSpeech } from "../texts/language.tsx";

/** All datasets, newest first. */
export function DatasetsPage() {
  const { texts } = useSpeech();
  const { noDatasets, noDatasetsLead, toStart } = texts.lists;
  const empty = <EmptyList title={noDatasets} lead={noDatasetsLead} to="/" way={toStart} />;
  return (
    <Page title={texts.datasets}>
      <Paged query={useDatasets()} empty={empty}>
        {(datasets) => <DatasetTable datasets={datasets} />}
      </Paged>
    </Page>
  );
}
