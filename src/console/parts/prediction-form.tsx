import { Button, Group, Stack } from "@mantine/core";
import { type FormEvent, useCallback, useState } from "react";
import type { Model } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { type FormRow, type FormTexts, rowOf, textsOf } from "../words/form-row.ts";
import { FeatureField } from "./feature-field.tsx";
import { Section } from "./section.tsx";

/** A row to be filled in, made from what the model says it takes. */
export function PredictionForm({
  input,
  isAsking,
  onRow,
  onChange,
}: {
  input: NonNullable<Model["input"]>;
  isAsking: boolean;
  onRow: (row: FormRow) => void;
  /** What was said is of another row then. The same function each time: else all fields are made anew. */
  onChange: () => void;
}) {
  const { texts } = useSpeech();
  const { predict: words } = texts;
  const [typed, setTyped] = useState(() => textsOf(input, texts.decimal));
  const [faulty, setFaulty] = useState<readonly string[]>([]);
  const change = useCallback(
    (next: (before: FormTexts) => FormTexts): void => {
      setTyped(next);
      onChange();
    },
    [onChange],
  );
  const takeText = useCallback(
    (name: string, text: string) => change((before) => ({ ...before, [name]: text })),
    [change],
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const read = rowOf(input.features, typed, texts.decimal);
    setFaulty(read.faulty);
    if (read.faulty.length === 0) onRow(read.row);
  };
  return (
    <Section title={words.row}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <div className="fields">
            {input.features.map((feature) => (
              <FeatureField
                key={feature.name}
                feature={feature}
                text={typed[feature.name] ?? ""}
                isFaulty={faulty.includes(feature.name)}
                onText={takeText}
              />
            ))}
          </div>
          <Group gap="sm">
            <Button type="submit" size="md" loading={isAsking}>
              {words.go}
            </Button>
            <Button variant="default" size="md" onClick={() => change(() => textsOf(input, texts.decimal))}>
              {words.reset}
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
