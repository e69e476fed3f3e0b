import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { useNavigate } from "react-router";
import type { DescribedDataset } from "../api/answers.ts";
import { useCorrect } from "../api/datasets.ts";
import { useSpeech } from "../texts/language.tsx";
import { asUnderstood, type Corrections, correctionOf } from "../words/corrections.ts";
import { FaultAlert } from "./fault-alert.tsx";
import { Section } from "./section.tsx";
import { UnderstoodColumns } from "./understood-columns.tsx";

/** What the columns of a dataset are, and how to say that they are something else. */
export function ColumnsSection({ dataset }: { dataset: DescribedDataset }) {
  const { dataset: words } = useSpeech().texts;
  const { id, rows, understood } = dataset;
  const navigate = useNavigate();
  const correct = useCorrect(id);
  const [corrections, setCorrections] = useState<Corrections>();
  const correction = corrections && correctionOf(dataset, corrections);
  const save = (): void => {
    if (correction === undefined) return;
    correct.mutate(correction, {
      onSuccess(corrected) {
        setCorrections(undefined);
        if (corrected.id !== id) void navigate(`/datasets/${corrected.id}`);
      },
    });
  };
  const leave = (): void => {
    setCorrections(undefined);
    correct.reset();
  };
  return (
    <Section title={words.columns}>
      {corrections !== undefined && <Text size="sm">{words.correctingAbout}</Text>}
      <UnderstoodColumns
        columns={understood.columns}
        rows={rows}
        correcting={corrections && { corrections, onCorrections: setCorrections }}
      />
      {correct.error !== null && <FaultAlert thrown={correct.error} />}
      {corrections === undefined ? (
        <Button variant="default" className="own-width" onClick={() => setCorrections(asUnderstood(dataset))}>
          {words.correct}
        </Button>
      ) : (
        <Group gap="sm">
          <Button loading={correct.isPending} disabled={correction === undefined} onClick={save}>
            {words.save}
          </Button>
          <Button variant="default" onClick={leave}>
            {words.leaveAsItWas}
          </Button>
        </Group>
      )}
    </Section>
  );
}
