import { Alert, Anchor, List, Table, Text } from "@mantine/core";
import { Link } from "react-router";
import { rootAddress } from "../api/root-address.ts";
import { type Health, useHealth, useSummary } from "../api/state.ts";
import { Asked } from "../parts/asked.tsx";
import { EmptyList } from "../parts/empty-list.tsx";
import { Facts } from "../parts/facts.tsx";
import { FaultAlert } from "../parts/fault-alert.tsx";
import { Page } from "../parts/page.tsx";
import { Section } from "../parts/section.tsx";
import { WideTable } from "../parts/wide-table.tsx";
import { useSpeech } from "../texts/language.tsx";

const outcomes = ["unfinished", "succeeded", "failed", "cancelled"] as const;

/** How the service is: what is wrong now, in plain words, and how much it has to do. */
export function StatePage() {
  const { state: words } = useSpeech().texts;
  const { data, error, refetch } = useHealth();
  return (
    <Page title={words.title} lead={words.lead}>
      {/* Unlike elsewhere, what was there before must not stay: it would say that all is well. */}
      {error === null ? (
        <Asked query={{ data, error, refetch }}>{(health) => <Wellbeing health={health} />}</Asked>
      ) : (
        <FaultAlert thrown={error} onTryAgain={() => void refetch()} />
      )}
      <Section title={words.runs}>
        <RunCounts />
      </Section>
      <Section title={words.further}>
        <List>
          <List.Item>
            <Anchor href={new URL("api/docs", rootAddress).href}>{words.apiDocs}</Anchor>
          </List.Item>
          <List.Item>
            <Anchor href={new URL("api/openapi.json", rootAddress).href}>{words.openApi}</Anchor>
          </List.Item>
        </List>
      </Section>
    </Page>
  );
}

function Wellbeing({ health: { failing, version, role, uptimeSeconds } }: { health: Health }) {
  const { texts, formats } = useSpeech();
  const { state: words } = texts;
  return (
    <>
      <div role="status">
        {failing.length === 0 ? (
          <Alert color="green" title={words.allWell}>
            {words.allWellAbout}
          </Alert>
        ) : (
          <Alert color="red" title={words.notWell}>
            <List size="sm">
              {failing.map((part) => (
                <List.Item key={part}>{words.failing[part]}</List.Item>
              ))}
            </List>
          </Alert>
        )}
      </div>
      <Section title={words.service}>
        <Facts
          facts={[
            [words.version, version],
            [words.role, words.roles[role] ?? role],
            [words.up, formats.duration(uptimeSeconds)],
          ]}
        />
      </Section>
    </>
  );
}

function RunCounts() {
  const { texts, formats } = useSpeech();
  const { state: words } = texts;
  return (
    <Asked query={useSummary()}>
      {(tasks) =>
        tasks.length === 0 ? (
          <EmptyList
            title={texts.lists.noRuns}
            lead={texts.lists.noRunsLead}
            to="/datasets"
            way={texts.lists.toDatasets}
          />
        ) : (
          <>
            <WideTable label={words.runs} head={[words.task, ...outcomes.map((each) => words.outcomes[each])]}>
              {tasks.map(({ task, runs }) => (
                <Table.Tr key={task}>
                  <Table.Td>{words.tasks[task]}</Table.Td>
                  {outcomes.map((each) => (
                    <Table.Td key={each} className="number">
                      {formats.count(runs[each])}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </WideTable>
            <Text size="sm">
              <Anchor component={Link} to="/runs">
                {words.toRuns}
              </Anchor>
            </Text>
          </>
        )
      }
    </Asked>
  );
}
