import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { createFormats, type Formats, type Language, languages } from "../words/formats.ts";
import { en, type Texts } from "./en.ts";
import { ru } from "./ru.ts";

const storedAs = "language";
const textsOf: Record<Language, Texts> = { en, ru };

interface Speech {
  readonly language: Language;
  readonly texts: Texts;
  readonly formats: Formats;
  readonly speak: (language: Language) => void;
}

const SpeechContext = createContext<Speech | undefined>(undefined);

/** The language that was chosen here, else the first of the browser's wishes that there is. */
function firstLanguage(): Language {
  const wishes = [localStorage.getItem(storedAs) ?? "", ...navigator.languages];
  return wishes.map((wish) => languages.find((language) => wish.startsWith(language))).find((each) => each) ?? "en";
}

/** Lets everything inside speak one language. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo(
    () => ({
      language,
      texts: textsOf[language],
      formats: createFormats(navigator.languages.find((each) => each.startsWith(language)) ?? language),
      speak(next: Language) {
        localStorage.setItem(storedAs, next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

/** The words and formats of now. */
export function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (speech === undefined) throw new Error("Only what stands in a LanguageProvider can speak.");
  return speech;
}

/** A language's name in its own words. */
export const nameOfLanguage = (language: Language): string => textsOf[language].languageName;
