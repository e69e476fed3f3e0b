import { Badge } from "@mantine/core";
import type { Run, RunStatus } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";

const colours = {
  queued: "gray",
  running: "blue",
  succeeded: "green",
  failed: "red",
  cancelled: "gray",
} satisfies Record<RunStatus, string>;

/** A run's state; while it trains, with how far it is. */
export function RunBadge({ run: { status, progress } }: { run: Pick<Run, "status" | "progress"> }) {
  const { texts, formats } = useSpeech();
  const word = texts.run.statuses[status];
  return (
    <Badge variant="light" color={colours[status]} className="badge" data-status={status}>
      {status === "running" ? `${word} ${formats.percent(progress)}` : word}
    </Badge>
  );
}
