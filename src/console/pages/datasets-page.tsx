import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useDatasets } from "../api/datasets.ts";
import { DatasetTable } from "../parts/dataset-table.tsx";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { useSpeech } from "../texts/language.tsx";

/** All datasets, newest first. */
export function DatasetsPage() {
  const { texts } = useSpeech();
  const empty = (
    <Stack gap="xs">
      <Text fw={600}>{texts.lists.noDatasets}</Text>
      <Text>{texts.lists.noDatasetsLead}</Text>
      <Anchor component={Link} to="/">
        {texts.lists.toStart}
      </Anchor>
    </Stack>
  );
  return (
    <Page title={texts.datasets}>
      <Paged query={useDatasets()} empty={empty}>
        {(datasets) => <DatasetTable datasets={datasets} />}
      </Paged>
    </Page>
  );
}
