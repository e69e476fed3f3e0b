import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useRuns } from "../api/runs.ts";
import { Page } from "../parts/page.tsx";
import { Paged } from "../parts/paged.tsx";
import { RunTable } from "../parts/run-table.tsx";
import { useSpeech } from "../texts/language.tsx";

/** All training runs, newest first. */
export function RunsPage() {
  const { texts } = useSpeech();
  const empty = (
    <Stack gap="xs">
      <Text fw={600}>{texts.lists.noRuns}</Text>
      <Text>{texts.lists.noRunsLead}</Text>
      <Anchor component={Link} to="/datasets">
        {texts.lists.toDatasets}
      </Anchor>
    </Stack>
  );
  return (
    <Page title={texts.runs}>
      <Paged query={useRuns()} empty={empty}>
        {(runs) => <RunTable runs={runs} />}
      </Paged>
    </Page>
  );
}
