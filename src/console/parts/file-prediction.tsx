import { Button, FileButton, Group, Table, Text } from "@mantine/core";
import type { Predictions } from "../api/answers.ts";
import { useFilePrediction } from "../api/models.ts";
import { useSpeech } from "../texts/language.tsx";
import { predictionsCsv } from "../words/predictions-csv.ts";
import { shownName } from "../words/shown-name.ts";
import { FaultAlert } from "./fault-alert.tsx";
import { FirstOf } from "./first-of.tsx";
import { saveFile } from "./save-file.ts";
import { Section } from "./section.tsx";
import { WideTable } from "./wide-table.tsx";

const shownAtFirst = 10;

/** Asks a model for all rows of a CSV file at once. */
export function FilePrediction({ id }: { id: string }) {
  const { predict: words } = useSpeech().texts;
  const { data, error, isPending, mutate, variables } = useFilePrediction(id);
  return (
    <Section title={words.file} about={words.fileAbout}>
      <FileButton accept=".csv,.tsv,.txt,text/csv" onChange={(file) => file !== null && mutate(file)}>
        {(props) => (
          <Button {...props} variant="default" className="own-width" loading={isPending}>
            {words.chooseFile}
          </Button>
        )}
      </FileButton>
      <div aria-live="polite" className="answers">
        {error !== null && <FaultAlert thrown={error} />}
        {data !== undefined && <FileAnswers answers={data} name={variables?.name ?? ""} />}
      </div>
    </Section>
  );
}

function FileAnswers({ answers: { predictions, encoding }, name }: { answers: Predictions; name: string }) {
  const { texts, formats } = useSpeech();
  const { predict: words } = texts;
  const hasUnknown = predictions.some(({ unknown = [] }) => unknown.length > 0);
  const said = (prediction: string | number): string =>
    typeof prediction === "number" ? formats.value(prediction) : shownName(prediction);
  const download = (): void =>
    saveFile(
      new Blob([predictionsCsv(predictions)], { type: "text/csv" }),
      `${name.replace(/\.\w+$/, "")}-predicted.csv`,
    );
  return (
    <>
      <Text>
        {words.fileRows(shownName(name), predictions.length, formats.count(predictions.length))}
        {encoding !== undefined && ` ${words.fileEncoding(encoding)}`}
      </Text>
      <FirstOf items={predictions} atFirst={shownAtFirst} further={words.furtherRows}>
        {(shown) => (
          <WideTable
            label={words.file}
            head={[words.rowNumber, words.answer, ...(hasUnknown ? [words.neverSeen] : [])]}
          >
            {shown.map(({ prediction, probabilities, unknown = [] }, place) => (
              <Table.Tr key={place}>
                <Table.Td>{formats.count(place + 1)}</Table.Td>
                <Table.Td>
                  {said(prediction)}
                  {probabilities !== undefined && ` (${formats.percent(probabilities[String(prediction)] ?? 0, 1)})`}
                </Table.Td>
                {hasUnknown && <Table.Td>{unknown.map(shownName).join(", ")}</Table.Td>}
              </Table.Tr>
            ))}
          </WideTable>
        )}
      </FirstOf>
      <Group>
        <Button variant="default" onClick={download}>
          {words.saveAnswers}
        </Button>
      </Group>
    </>
  );
}
