import { type MantineColorScheme, NativeSelect, useMantineColorScheme } from "@mantine/core";
import { useSpeech } from "../texts/language.tsx";

/** Chooses light or dark; it is remembered. */
export function SchemeSwitch() {
  const { scheme } = useSpeech().texts;
  // Else it writes a style element, which the policy of the page lets in as little as any other.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <NativeSelect
      size="xs"
      aria-label={scheme.label}
      value={colorScheme}
      onChange={({ currentTarget }) => setColorScheme(currentTarget.value as MantineColorScheme)}
      data={(["auto", "light", "dark"] as const).map((value) => ({ value, label: scheme[value] }))}
    />
  );
}
