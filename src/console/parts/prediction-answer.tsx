import { Text } from "@mantine/core";
import type { Prediction } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { explanationOf } from "../words/explanation.ts";
import { chanceBars } from "../words/prediction-bars.ts";
import { shownName } from "../words/shown-name.ts";
import { Bars } from "./bars.tsx";
import { ExplanationSection } from "./explanation-section.tsx";
import { Section } from "./section.tsx";

/** What the model says of a row, how sure it is, and why. */
export function PredictionAnswer({ prediction: said, isNumber }: { prediction: Prediction; isNumber: boolean }) {
  const { texts, formats } = useSpeech();
  const { predict: words } = texts;
  const { prediction, probabilities, unknown = [] } = said;
  const bars = chanceBars(probabilities);
  const explanation = explanationOf(said);
  return (
    <>
      <Section title={words.answer}>
        <Text className="prediction" data-testid="prediction">
          {typeof prediction === "number" ? formats.value(prediction) : shownName(prediction)}
        </Text>
        {bars.length > 0 && <Bars bars={bars} shown={(chance) => formats.percent(chance, 1)} label={words.chances} />}
        {unknown.length > 0 && <Text size="sm">{words.unknown(unknown.map(shownName).join(", "))}</Text>}
      </Section>
      {explanation !== undefined && <ExplanationSection explanation={explanation} isNumber={isNumber} />}
    </>
  );
}
