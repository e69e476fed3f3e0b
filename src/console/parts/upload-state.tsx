import { Button, Progress, Stack, Text } from "@mantine/core";
import type { UploadProgress } from "../api/upload.ts";
import type { Texts } from "../texts/en.ts";
import { useSpeech } from "../texts/language.tsx";
import type { Formats } from "../words/formats.ts";

function wordsFor(progress: UploadProgress | undefined, { start }: Texts, formats: Formats): string {
  if (progress?.step === "sending")
    return start.sending(formats.size(progress.sentBytes), formats.size(progress.totalBytes));
  return (progress && start.phases[progress.phase]) ?? start.checking;
}

/** In per cent; undefined where nobody knows, as while the table waits. */
function shareOf(progress: UploadProgress | undefined): number | undefined {
  if (progress?.step === "sending") return (100 * progress.sentBytes) / Math.max(progress.totalBytes, 1);
  return progress?.percentage;
}

/** How far an upload is, and how to stop it. */
export function UploadState({
  progress,
  name,
  onStop,
}: {
  progress: UploadProgress | undefined;
  name: string;
  onStop: () => void;
}) {
  const { texts, formats } = useSpeech();
  const share = shareOf(progress);
  const words = wordsFor(progress, texts, formats);
  return (
    <div className="drop">
      <Stack align="center" className="whole-width">
        <Text fw={600}>{name}</Text>
        <Progress
          className="whole-width"
          value={share ?? 100}
          animated={share === undefined}
          striped={share === undefined}
          aria-label={words}
        />
        <Text role="status">{words}</Text>
        <Button variant="default" onClick={onStop}>
          {texts.start.stop}
        </Button>
      </Stack>
    </div>
  );
}
