import { Alert, Button, Stack, Text } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useSpeech } from "../texts/language.tsx";

function BrokenPage() {
  const { fault } = useSpeech().texts;
  return (
    <Alert color="red" role="alert" title={fault.title}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{fault.ofPage}</Text>
        <Button size="compact-sm" variant="default" onClick={() => location.reload()}>
          {fault.reload}
        </Button>
      </Stack>
    </Alert>
  );
}

/** Stands for a page of which a part throws: else React would take everything away. A class, since it has no hook for that. */
export class PageGuard extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render(): ReactNode {
    return this.state.isBroken ? <BrokenPage /> : this.props.children;
  }
}
