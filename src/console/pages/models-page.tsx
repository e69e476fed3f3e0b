import { useModels } from "../api/models.ts";
import { EmptyList } from "../parts/empty-list.tsx";
import { ModelTable } from "../parts/model-table.tsx";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { useSpeech } from "../texts/language.tsx";

/** All models, newest first. */
export function ModelsPage() {
  const { texts } = useSpeech();
  const { noModels, noRunsLead, toDatasets } = texts.lists;
  const empty = <EmptyList title={noModels} lead={noRunsLead} to="/datasets" way={toDatasets} />;
  return (
    <Page title={texts.models}>
      <Paged query={useModels()} empty={empty}>
        {(models) => <ModelTable models={models} />}
      </Paged>
    </Page>
  );
}
