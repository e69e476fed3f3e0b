import { Button, Group } from "@mantine/core";
import type { Model } from "../api/answers.ts";
import { useKeyState } from "../api/api-key.ts";
import { type ModelFormat, useModelFile } from "../api/models.ts";
import { rootAddress } from "../api/root-address.ts";
import { useSpeech } from "../texts/language.tsx";
import { curlSnippet, pythonSnippet } from "../words/snippets.ts";
import { FaultAlert } from "./fault-alert.tsx";
import { saveFile } from "./save-file.ts";
import { Section } from "./section.tsx";
import { Snippet } from "./snippet.tsx";

const endings = { xgboost: "json", onnx: "onnx" } satisfies Record<ModelFormat, string>;
const formats = ["onnx", "xgboost"] as const;

/** How a model is used elsewhere: its files, and lines for a shell and Python that ask it for the row of the example. */
export function TakeAlong({ model: { id, input } }: { model: Model }) {
  const { model: words } = useSpeech().texts;
  const { key } = useKeyState();
  const file = useModelFile(id);
  const fetchFile = (format: ModelFormat): void =>
    file.mutate(format, { onSuccess: (blob) => saveFile(blob, `model-${id}.${endings[format]}`) });
  const snippetOf = input && { root: rootAddress.href, id, row: input.example, hasKey: key !== undefined };
  const keyAbout = key === undefined ? "" : ` ${words.keyAbout}`;
  return (
    <Section title={words.takeAlong} about={words.takeAlongAbout}>
      <Group gap="sm">
        {formats.map((format) => (
          <Button
            key={format}
            variant="default"
            loading={file.isPending && file.variables === format}
            onClick={() => fetchFile(format)}
          >
            {words.download[format]}
          </Button>
        ))}
      </Group>
      {file.error !== null && <FaultAlert thrown={file.error} />}
      {snippetOf !== null && (
        <>
          <Snippet title={words.curl} about={words.curlAbout + keyAbout} code={curlSnippet(snippetOf)} />
          <Snippet title={words.python} about={words.pythonAbout + keyAbout} code={pythonSnippet(snippetOf)} />
        </>
      )}
    </Section>
  );
}
