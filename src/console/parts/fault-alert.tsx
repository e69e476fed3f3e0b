import { Alert, Button, Stack, Text } from "@mantine/core";
import { toFault } from "../api/fault.ts";
import { useSpeech } from "../texts/language.tsx";

/** A fault in words, with what to do, its code, and how to try again where that may help. */
export function FaultAlert({ thrown, onTryAgain }: { thrown: unknown; onTryAgain?: (() => void) | undefined }) {
  const { texts } = useSpeech();
  const fault = toFault(thrown);
  // What the words above say already.
  const fields = fault.fields.filter(({ message }) => !fault.message.includes(message));
  const isAway = fault.code === "UNREACHABLE";
  const inOwnWords = isAway ? texts.fault.unreachable : texts.fault.ofCode(fault.code);
  return (
    <Alert color="red" role="alert" title={texts.fault.title}>
      <Stack gap="xs" align="flex-start">
        {inOwnWords !== undefined && <Text size="sm">{inOwnWords}</Text>}
        {!isAway && (
          <Text size="sm" lang="en">
            {fault.message}
          </Text>
        )}
        {fields.map(({ path, message }) => (
          <Text size="sm" lang="en" key={`${path} ${message}`}>
            {path === "" ? message : `${path}: ${message}`}
          </Text>
        ))}
        <Text size="xs" className="quiet">
          <code>{fault.code}</code>
          {isAway && fault.status > 0 && ` · HTTP ${fault.status}`}
          {fault.instance !== undefined && ` · ${texts.fault.reference}: ${fault.instance}`}
        </Text>
        {onTryAgain !== undefined && (
          <Button size="compact-sm" variant="default" onClick={onTryAgain}>
            {texts.tryAgain}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
