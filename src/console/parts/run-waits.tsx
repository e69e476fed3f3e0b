import { Group, Progress, Stack, Text } from "@mantine/core";
import type { DescribedRun } from "../api/answers.ts";
import { useCancel } from "../api/runs.ts";
import { useSpeech } from "../texts/language.tsx";
import { Confirmed } from "./confirmed.tsx";

/** A run that goes on: its place or progress, and how to stop it. */
export function RunWaits({ run }: { run: DescribedRun }) {
  const { texts, formats } = useSpeech();
  const { run: words } = texts;
  const cancel = useCancel(run.id);
  const { leaderboard, queuePosition, progress, status, attempt, endsEarly } = run;
  const place =
    queuePosition === null || queuePosition === 1 ? words.nextInQueue : words.queue(formats.count(queuePosition));
  return (
    <Stack gap="sm">
      {status === "queued" ? (
        <Text>{place}</Text>
      ) : (
        <Progress size="lg" value={progress * 100} aria-label={words.progress} />
      )}
      <Group gap="sm">
        {attempt > 1 && <Text size="sm">{words.attempt(formats.count(attempt))}</Text>}
        {leaderboard !== null && (
          <Text size="sm">
            {words.trials(formats.count(leaderboard.trialsDone), formats.count(leaderboard.trialsOf))}
          </Text>
        )}
        {endsEarly && <Text size="sm">{words.endsEarly}</Text>}
      </Group>
      <Confirmed
        label={words.cancel}
        question={words.cancelSure}
        yes={words.cancelYes}
        no={words.cancelNo}
        call={{ ...cancel, mutate: () => cancel.mutate() }}
      />
    </Stack>
  );
}
