import { Anchor, Badge, Button, Group } from "@mantine/core";
import { Link } from "react-router";
import type { Model } from "../api/answers.ts";
import { usePin } from "../api/models.ts";
import { useSpeech } from "../texts/language.tsx";
import { Facts } from "./facts.tsx";
import { FaultAlert } from "./fault-alert.tsx";
import { useQuality } from "./quality.ts";
import { Section } from "./section.tsx";

/** What a model is, what it was made of, and whether it is kept. */
export function ModelFacts({ model }: { model: Model }) {
  const { texts, formats } = useSpeech();
  const { model: words, train, run, lists } = texts;
  const { id, mode, sizeBytes, createdAt, pinned, runId, datasetId } = model;
  const quality = useQuality();
  const pin = usePin(id);
  return (
    <Section title={words.about}>
      <Facts
        facts={[
          [run.mode, train.modes[mode]],
          [lists.quality, quality(model)],
          [
            words.madeBy,
            <Anchor key="run" component={Link} to={`/runs/${runId}`}>
              {words.itsRun}
            </Anchor>,
          ],
          [
            words.learntFrom,
            <Anchor key="dataset" component={Link} to={`/datasets/${datasetId}`}>
              {run.itsDataset}
            </Anchor>,
          ],
          [words.made, formats.moment(createdAt)],
          [lists.size, formats.size(sizeBytes)],
        ]}
      />
      <Group gap="sm">
        {pinned && <Badge className="badge">{words.pinned}</Badge>}
        <Button variant="default" loading={pin.isPending} onClick={() => pin.mutate(!pinned)}>
          {pinned ? words.unpin : words.pin}
        </Button>
        <span className="quiet">{words.pinAbout}</span>
      </Group>
      {pin.error !== null && <FaultAlert thrown={pin.error} />}
    </Section>
  );
}
