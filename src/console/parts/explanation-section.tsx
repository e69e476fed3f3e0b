import { useSpeech } from "../texts/language.tsx";
import type { Explanation } from "../words/explanation.ts";
import { shownName } from "../words/shown-name.ts";
import { FirstOf } from "./first-of.tsx";
import { Section } from "./section.tsx";

const shownAtFirst = 12;

/** What speaks for an answer and what against it, as bars to both sides; with signs, for who hears them. */
export function ExplanationSection({
  explanation: { output, contributions },
  isNumber,
}: {
  explanation: Explanation;
  isNumber: boolean;
}) {
  const { texts, formats } = useSpeech();
  const { predict: words } = texts;
  const about = isNumber ? words.whyNumber : words.whyClass(shownName(output));
  return (
    <Section title={words.why} about={about}>
      <FirstOf items={contributions} atFirst={shownAtFirst} further={texts.dataset.furtherColumns}>
        {(shown) => (
          <ul className="bars signed-bars" aria-label={words.why}>
            {shown.map(({ name, value, length }) => (
              <li key={name}>
                <span className="bar-name" title={shownName(name)}>
                  {shownName(name)}
                </span>
                <span className="bar-halves" data-side={value < 0 ? "against" : "for"} aria-hidden="true">
                  <span className="bar" style={{ width: `${length * 50}%` }} />
                </span>
                <span className="bar-value">{formats.signed(value)}</span>
              </li>
            ))}
          </ul>
        )}
      </FirstOf>
    </Section>
  );
}
