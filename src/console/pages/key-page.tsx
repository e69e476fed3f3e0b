import { Alert, Button, PasswordInput, Stack } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { takeKey, useKeyState } from "../api/api-key.ts";
import { Page } from "../parts/page.tsx";
import { useSpeech } from "../texts/language.tsx";

/** Asks for the key; the page that was wanted comes back with it. */
export function KeyPage() {
  const { key: texts } = useSpeech().texts;
  const { wasRefused } = useKeyState();
  const [typed, setTyped] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed.trim() !== "") takeKey(typed.trim());
  };
  return (
    <Page title={texts.title} lead={texts.lead}>
      <form onSubmit={submit} className="narrow">
        <Stack>
          {wasRefused && (
            <Alert color="red" role="alert">
              {texts.wrong}
            </Alert>
          )}
          <PasswordInput
            label={texts.label}
            autoComplete="off"
            value={typed}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
          />
          <Button type="submit" className="own-width">
            {texts.go}
          </Button>
        </Stack>
      </form>
    </Page>
  );
}
