import { Text } from "@mantine/core";
import type { DescribedDataset } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { Facts } from "./facts.tsx";

/** How a file was read: its format and how it is written. */
export function ReadAs({ dataset: { understood, sizeBytes, createdAt, expiresAt } }: { dataset: DescribedDataset }) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const { format, encoding, delimiter, decimal, sheet, header } = understood;
  const isText = format === "csv";
  return (
    <>
      <Facts
        facts={[
          [words.format, words.formats[format]],
          isText ? [words.encoding, encoding.toUpperCase()] : undefined,
          delimiter === null ? undefined : [words.delimiter, words.delimiters[delimiter]],
          isText ? [words.decimal, words.decimals[decimal]] : undefined,
          sheet === null ? undefined : [words.sheet, sheet],
          [words.size, formats.size(sizeBytes)],
          [words.uploaded, formats.moment(createdAt)],
          expiresAt === null ? undefined : [words.expires, formats.moment(expiresAt)],
        ]}
      />
      {!header && <Text size="sm">{words.noHeader}</Text>}
    </>
  );
}
