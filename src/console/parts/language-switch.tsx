import { NativeSelect } from "@mantine/core";
import { nameOfLanguage, useSpeech } from "../texts/language.tsx";
import { type Language, languages } from "../words/formats.ts";

/** Chooses the language; it is remembered. */
export function LanguageSwitch() {
  const { language, texts, speak } = useSpeech();
  return (
    <NativeSelect
      size="xs"
      aria-label={texts.language}
      value={language}
      onChange={({ currentTarget }) => speak(currentTarget.value as Language)}
      data={languages.map((each) => ({ value: each, label: nameOfLanguage(each) }))}
    />
  );
}
