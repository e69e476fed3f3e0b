import { Button, NativeSelect, Radio, Stack, Text } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import type { DescribedDataset, Mode, Task } from "../api/answers.ts";
import { useTrain } from "../api/runs.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";
import { FaultAlert } from "./fault-alert.tsx";
import { Section } from "./section.tsx";

const modes: readonly Mode[] = ["heavy", "light", "auto"];

/** What the service makes of a target: its own task for its own one, of others numbers are a regression. */
function taskOf({ target, task, understood }: DescribedDataset, chosen: string): Task {
  if (chosen === target) return task;
  const type = understood.columns.find(({ name }) => name === chosen)?.type;
  return type === "number" ? "regression" : "classification";
}

/** Chooses a target and a mode, and trains. */
export function TrainForm({ dataset }: { dataset: DescribedDataset }) {
  const { train: words } = useSpeech().texts;
  const navigate = useNavigate();
  const [chosen, setChosen] = useState(dataset.target);
  const [mode, setMode] = useState<Mode>("heavy");
  const train = useTrain();
  const targets = dataset.understood.columns
    .filter(({ role }) => role !== "left out")
    .map(({ name }) => ({
      value: name,
      label: shownName(name),
    }));
  // One that was chosen and is left out since: the list would show another than is sent.
  const target = targets.some(({ value }) => value === chosen) ? chosen : dataset.target;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    train.mutate({ datasetId: dataset.id, target, mode }, { onSuccess: ({ id }) => void navigate(`/runs/${id}`) });
  };
  return (
    <Section title={words.title}>
      <form onSubmit={submit}>
        <Stack>
          <NativeSelect
            label={words.target}
            description={taskOf(dataset, target) === "classification" ? words.classes : words.numbers}
            value={target}
            onChange={({ currentTarget }) => setChosen(currentTarget.value)}
            data={targets}
          />
          <Radio.Group label={words.mode} value={mode} onChange={(value) => setMode(value as Mode)}>
            <Stack gap="xs" className="modes">
              {modes.map((each) => (
                <Radio key={each} value={each} label={words.modes[each]} description={words.modeAbout[each]} />
              ))}
            </Stack>
          </Radio.Group>
          {train.error !== null && <FaultAlert thrown={train.error} />}
          <Button type="submit" size="md" loading={train.isPending}>
            {words.go}
          </Button>
          <Text size="xs" className="quiet">
            {words.goAbout}
          </Text>
        </Stack>
      </form>
    </Section>
  );
}
