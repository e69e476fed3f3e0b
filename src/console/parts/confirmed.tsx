import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { FaultAlert } from "./fault-alert.tsx";

/** A button for what can't be undone: it is done on a second word. */
export function Confirmed({
  label,
  question,
  yes,
  no,
  call: { isPending, error, mutate },
}: {
  label: string;
  /** Says what will be gone. */
  question: string;
  yes: string;
  no: string;
  call: { readonly isPending: boolean; readonly error: unknown; readonly mutate: () => void };
}) {
  const [isAsked, setIsAsked] = useState(false);
  return (
    <Stack gap="sm">
      {isAsked ? (
        <Group gap="sm" role="group" aria-label={question}>
          <Text>{question}</Text>
          <Button color="red" loading={isPending} onClick={mutate}>
            {yes}
          </Button>
          {/* Who came by the keyboard must not fall out of the page; and Enter twice must not destroy. */}
          <Button variant="default" autoFocus onClick={() => setIsAsked(false)}>
            {no}
          </Button>
        </Group>
      ) : (
        <Button variant="default" className="own-width" onClick={() => setIsAsked(true)}>
          {label}
        </Button>
      )}
      {error !== null && <FaultAlert thrown={error} />}
    </Stack>
  );
}
