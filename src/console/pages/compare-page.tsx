import { Anchor, Text } from "@mantine/core";
import { Link, useSearchParams } from "react-router";
import type { RunComparison } from "../api/answers.ts";
import { useComparison } from "../api/compare.ts";
import { Asked } from "../parts/asked.tsx";
import { ComparedMeasures } from "../parts/compared-measures.tsx";
import { ComparedSettings } from "../parts/compared-settings.tsx";
import { Page } from "../parts/page.tsx";
import { useSpeech } from "../texts/language.tsx";
import { letterOf } from "../words/comparison.ts";
import { shownName } from "../words/shown-name.ts";

/** Runs side by side; which they are, the address says. */
export function ComparePage() {
  const { compare: words } = useSpeech().texts;
  const ids = (useSearchParams()[0].get("ids") ?? "").split(",").filter((id) => id !== "");
  return (
    <Page title={words.title} lead={words.lead}>
      {ids.length < 2 ? (
        <Text>
          {words.choose}{" "}
          <Anchor component={Link} to="/runs">
            {words.toRuns}
          </Anchor>
        </Text>
      ) : (
        <Compared ids={ids} />
      )}
    </Page>
  );
}

function Compared({ ids }: { ids: readonly string[] }) {
  return <Asked query={useComparison(ids)}>{(comparison) => <SideBySide comparison={comparison} />}</Asked>;
}

function SideBySide({ comparison }: { comparison: RunComparison }) {
  const { texts, formats } = useSpeech();
  const { compare: words, train } = texts;
  const { runs, rows, by, target, datasetId } = comparison;
  const ids = runs.map(({ id }) => id);
  const heads = runs.map(({ id, mode }, place) => (
    <span key={id}>
      <Anchor component={Link} to={`/runs/${id}`}>
        {letterOf(place)}: {train.modes[mode]}
      </Anchor>
      <br />
      {place === 0 ? (
        <Text size="xs" span className="quiet">
          {words.isFirst}
        </Text>
      ) : (
        <Anchor
          size="xs"
          component={Link}
          to={`/runs/compare?ids=${[id, ...ids.filter((each) => each !== id)].join(",")}`}
        >
          {words.makeFirst(letterOf(place))}
        </Anchor>
      )}
    </span>
  ));
  return (
    <>
      <Text>
        {words.of(shownName(target))}{" "}
        <Anchor component={Link} to={`/datasets/${datasetId}`}>
          {words.itsDataset}
        </Anchor>
      </Text>
      <ComparedMeasures comparison={comparison} heads={heads} about={words.measuredOn[by](rows, formats.count(rows))} />
      <ComparedSettings runs={runs} heads={heads} />
    </>
  );
}
