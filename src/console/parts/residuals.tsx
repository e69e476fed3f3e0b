import type { RunMetrics } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { Facts } from "./facts.tsx";
import { Section } from "./section.tsx";

/** How far off the answers of a regression are, above and below. */
export function Residuals({ metrics: { residuals } }: { metrics: RunMetrics }) {
  const { texts, formats } = useSpeech();
  const { run: words, dataset } = texts;
  if (residuals === undefined) return null;
  const range = (from: number, to: number): string => dataset.fromTo(formats.signed(from), formats.signed(to));
  const { p5, p25, p50, p75, p95 } = residuals;
  return (
    <Section title={words.residuals} about={words.residualsAbout}>
      <Facts
        facts={[
          [words.halfOfRows, range(p25, p75)],
          [words.nineOfTenRows, range(p5, p95)],
          [dataset.median, formats.signed(p50)],
        ]}
      />
    </Section>
  );
}
