import { Alert, Anchor, Button, Text } from "@mantine/core";
import { Link, useParams } from "react-router";
import type { DescribedRun, RunMetrics } from "../api/answers.ts";
import { isFinal } from "../api/answers.ts";
import { useDataset } from "../api/datasets.ts";
import { useLiveRun } from "../api/runs.ts";
import { Asked } from "../parts/asked.tsx";
import { Bars } from "../parts/bars.tsx";
import { ColumnUses } from "../parts/column-uses.tsx";
import { Confusion } from "../parts/confusion.tsx";
import { later } from "../parts/later.tsx";
import { Page } from "../parts/page.tsx";
import { QualitySection } from "../parts/quality-section.tsx";
import { Residuals } from "../parts/residuals.tsx";
import { RunBadge } from "../parts/run-badge.tsx";
import { RunWaits } from "../parts/run-waits.tsx";
import { Section } from "../parts/section.tsx";
import { Trials } from "../parts/trials.tsx";
import { Warnings } from "../parts/warnings.tsx";
import { useSpeech } from "../texts/language.tsx";
import { importanceBars } from "../words/quality.ts";
import { shownName } from "../words/shown-name.ts";

const Curves = later(async () => (await import("../parts/curves.tsx")).Curves);

/** A run: while it goes on how far it is, and then what came of it. */
export function RunPage() {
  const { id = "" } = useParams();
  return <Asked query={useLiveRun(id)}>{(run) => <LiveRun run={run} />}</Asked>;
}

function LiveRun({ run }: { run: DescribedRun }) {
  const { texts, formats } = useSpeech();
  const { run: words, train } = texts;
  const dataset = useDataset(run.datasetId);
  const took =
    run.startedAt !== null && run.finishedAt !== null
      ? (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000
      : undefined;
  const lead = (
    <span className="lead" aria-live="polite">
      <RunBadge run={run} />
      <span>
        {words.of}{" "}
        <Anchor component={Link} to={`/datasets/${run.datasetId}`}>
          {dataset.data === undefined ? words.itsDataset : shownName(dataset.data.name)}
        </Anchor>
      </span>
      <span>
        {words.mode}: {train.modes[run.mode]}
      </span>
      {took !== undefined && (
        <span>
          {words.took} {formats.duration(took)}
        </span>
      )}
    </span>
  );
  return (
    <Page title={words.title(shownName(run.target))} lead={lead}>
      {!isFinal(run) && <RunWaits run={run} />}
      {!isFinal(run) && run.leaderboard !== null && <Trials leaderboard={run.leaderboard} />}
      {run.status === "cancelled" && <Text>{words.cancelledText}</Text>}
      {run.error !== null && (
        <Alert color="red" title={words.failedTitle}>
          <Text size="sm" lang="en">
            {run.error.message}
          </Text>
          <Text size="xs" className="quiet">
            <code>{run.error.code}</code>
          </Text>
        </Alert>
      )}
      {run.metrics !== null && <Outcome run={run} metrics={run.metrics} />}
    </Page>
  );
}

function Outcome({ run, metrics }: { run: DescribedRun; metrics: RunMetrics }) {
  const { texts, formats } = useSpeech();
  const { run: words } = texts;
  const bars = importanceBars(metrics);
  const warnings = (run.warnings ?? []).map(({ code, message }) => ({ title: words.warningTitles[code], message }));
  return (
    <>
      <QualitySection task={run.task} metrics={metrics} />
      {run.artifactId !== null && (
        <Button component={Link} to={`/models/${run.artifactId}`} size="md" className="own-width">
          {words.predict}
        </Button>
      )}
      {run.artifactRemovedAt !== null && <Text>{words.modelRemoved}</Text>}
      <Warnings title={words.warnings} warnings={warnings} count={run.warningCount ?? 0} />
      {bars.length > 0 && (
        <Section title={words.importances} about={words.importancesAbout}>
          <Bars bars={bars.slice(0, 20)} shown={formats.measured} label={words.importances} />
        </Section>
      )}
      <Confusion metrics={metrics} />
      <Residuals metrics={metrics} />
      {metrics.curves !== undefined && <Curves metrics={metrics} />}
      {run.leaderboard !== null && <Trials leaderboard={run.leaderboard} />}
      {run.columns !== null && (
        <Section title={words.columns}>
          <ColumnUses columns={run.columns} />
        </Section>
      )}
    </>
  );
}
