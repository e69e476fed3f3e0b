import { Alert, List, Text } from "@mantine/core";
import { useSpeech } from "../texts/language.tsx";

/** A warning, with its title in the reader's language; its message comes from the service, which speaks English. */
export interface ShownWarning {
  readonly title: string;
  readonly message: string;
  readonly line?: number | undefined;
}

/** What a file or a training is warned of by. */
export function Warnings({
  title,
  warnings,
  count,
}: {
  title: string;
  warnings: readonly ShownWarning[];
  count: number;
}) {
  const { texts, formats } = useSpeech();
  if (warnings.length === 0) return null;
  const more = count - warnings.length;
  return (
    <Alert color="yellow" title={title} className="warnings">
      <List spacing="xs" size="sm">
        {warnings.map(({ title: of, line, message }) => (
          <List.Item key={message}>
            <Text size="sm" fw={600} component="span">
              {of}
              {line !== undefined && ` (${texts.dataset.line(formats.count(line))})`}
            </Text>
            <Text size="sm" lang="en">
              {message}
            </Text>
          </List.Item>
        ))}
      </List>
      {more > 0 && <Text size="sm">{texts.dataset.furtherWarnings(formats.count(more))}</Text>}
    </Alert>
  );
}
