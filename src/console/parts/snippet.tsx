import { Button, Group, Text, Title, VisuallyHidden } from "@mantine/core";
import { useState } from "react";
import { useSpeech } from "../texts/language.tsx";

/** Lines to be pasted elsewhere, and a button that copies them where the browser lets pages do that: over HTTPS, and on this machine. */
export function Snippet({ title, about, code }: { title: string; about: string; code: string }) {
  const { model: words } = useSpeech().texts;
  const [isCopied, setIsCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(code);
    setIsCopied(true);
  };
  return (
    <div className="snippet">
      <Group justify="space-between" gap="sm">
        <Title order={3} size="h5">
          {title}
        </Title>
        {window.isSecureContext && (
          <Button size="compact-sm" variant="default" onClick={() => void copy()}>
            {words.copy}
            <VisuallyHidden>: {title}</VisuallyHidden>
          </Button>
        )}
      </Group>
      <Text size="sm" className="quiet">
        {about}
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: else the keyboard can't scroll it */}
      <pre className="code" tabIndex={0} lang="en">
        <code>{code}</code>
      </pre>
      <Text size="sm" role="status">
        {isCopied && words.copied}
      </Text>
    </div>
  );
}
