import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useSpeech } from "../texts/language.tsx";

/** A page with its title, which the browser's tab shows, too. */
export function Page({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  const { texts } = useSpeech();
  return (
    <Stack gap="lg">
      <title>{`${title} · ${texts.service}`}</title>
      <div>
        <Title order={1} className="page-title">
          {title}
        </Title>
        {lead !== undefined && (
          <Text component="div" className="quiet">
            {lead}
          </Text>
        )}
      </div>
      {children}
    </Stack>
  );
}
